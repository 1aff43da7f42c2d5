// Emoji short codes: a common set. Status marks are drawn, so that they look alike on machines without an emoji font.
import { el, svg } from "./dom.js";

const CHARACTERS = {
  "+1": "👍",
  thumbsup: "👍",
  "-1": "👎",
  thumbsdown: "👎",
  ok_hand: "👌",
  wave: "👋",
  clap: "👏",
  pray: "🙏",
  muscle: "💪",
  raised_hands: "🙌",
  raised_hand: "✋",
  hand: "✋",
  point_right: "👉",
  point_left: "👈",
  point_up: "☝️",
  point_down: "👇",
  eyes: "👀",
  brain: "🧠",
  smile: "😄",
  slightly_smiling_face: "🙂",
  simple_smile: "🙂",
  grin: "😁",
  joy: "😂",
  laughing: "😆",
  wink: "😉",
  blush: "😊",
  sunglasses: "😎",
  thinking_face: "🤔",
  neutral_face: "😐",
  worried: "😟",
  cry: "😢",
  sob: "😭",
  scream: "😱",
  sleeping: "😴",
  zzz: "💤",
  robot_face: "🤖",
  ghost: "👻",
  skull: "💀",
  heart: "❤️",
  broken_heart: "💔",
  star: "⭐",
  sparkles: "✨",
  tada: "🎉",
  confetti_ball: "🎊",
  fire: "🔥",
  boom: "💥",
  zap: "⚡",
  rocket: "🚀",
  trophy: "🏆",
  bulb: "💡",
  no_bell: "🔕",
  mega: "📣",
  loudspeaker: "📢",
  speech_balloon: "💬",
  memo: "📝",
  pencil: "📝",
  pencil2: "✏️",
  clipboard: "📋",
  bookmark_tabs: "📑",
  books: "📚",
  book: "📖",
  page_facing_up: "📄",
  file_folder: "📁",
  open_file_folder: "📂",
  card_index_dividers: "🗂️",
  package: "📦",
  inbox_tray: "📥",
  outbox_tray: "📤",
  email: "✉️",
  envelope: "✉️",
  link: "🔗",
  paperclip: "📎",
  pushpin: "📌",
  round_pushpin: "📍",
  mag: "🔍",
  mag_right: "🔎",
  unlock: "🔓",
  key: "🔑",
  old_key: "🗝️",
  shield: "🛡️",
  gear: "⚙️",
  wrench: "🔧",
  hammer: "🔨",
  hammer_and_wrench: "🛠️",
  nut_and_bolt: "🔩",
  toolbox: "🧰",
  computer: "💻",
  desktop_computer: "🖥️",
  keyboard: "⌨️",
  floppy_disk: "💾",
  cd: "💿",
  dvd: "📀",
  minidisc: "💽",
  electric_plug: "🔌",
  battery: "🔋",
  satellite_antenna: "📡",
  globe_with_meridians: "🌐",
  house: "🏠",
  office: "🏢",
  cloud: "☁️",
  sunny: "☀️",
  rainbow: "🌈",
  snowflake: "❄️",
  umbrella: "☔",
  alarm_clock: "⏰",
  stopwatch: "⏱️",
  timer_clock: "⏲️",
  calendar: "📅",
  date: "📅",
  spiral_calendar_pad: "🗓️",
  chart_with_upwards_trend: "📈",
  chart_with_downwards_trend: "📉",
  bar_chart: "📊",
  rotating_light: "🚨",
  construction: "🚧",
  busts_in_silhouette: "👥",
  bust_in_silhouette: "👤",
  bug: "🐛",
  test_tube: "🧪",
  microscope: "🔬",
  recycle: "♻️",
  wastebasket: "🗑️",
  broom: "🧹",
  label: "🏷️",
  ticket: "🎫",
  question: "❓",
  grey_question: "❔",
  exclamation: "❗",
  heavy_exclamation_mark: "❗",
  bangbang: "‼️",
  arrow_upper_right: "↗️",
  arrow_lower_right: "↘️",
  leftwards_arrow_with_hook: "↩️",
  arrow_right_hook: "↪️",
  twisted_rightwards_arrows: "🔀",
  repeat: "🔁",
  fast_forward: "⏩",
  rewind: "⏪",
  arrow_forward: "▶️",
  black_square_for_stop: "⏹️",
  heavy_plus_sign: "➕",
  heavy_minus_sign: "➖",
  infinity: "♾️",
  100: "💯",
  one: "1️⃣",
  two: "2️⃣",
  three: "3️⃣",
  four: "4️⃣",
  five: "5️⃣",
  checkered_flag: "🏁",
  triangular_flag_on_post: "🚩",
  coffee: "☕",
  crown: "👑",
  handshake: "🤝",
  new: "🆕",
  up: "🆙",
  sos: "🆘",
  back: "🔙",
  end: "🔚",
  soon: "🔜",
  copyright: "©️",
  registered: "®️",
  tm: "™️",
  small_red_triangle: "🔺",
  small_blue_diamond: "🔹",
  small_orange_diamond: "🔸",
  radio_button: "🔘",
  writing_hand: "✍️",
  scroll: "📜",
  receipt: "🧾",
  compass: "🧭",
  ship: "🚢",
};

const disc = (colour) => () => svg("circle", { cx: 10, cy: 10, r: 7.5, fill: colour });
const block = (colour) => () => svg("rect", { x: 3, y: 3, width: 14, height: 14, rx: 2.5, fill: colour });
const stroke = (d, colour, width = 2.6) =>
  svg("path", {
    d,
    stroke: colour,
    "stroke-width": width,
    fill: "none",
    "stroke-linecap": "round",
    "stroke-linejoin": "round",
  });
const TICK = "M5.5 10.5 8.8 13.6 14.5 6.6";
const CROSS = "M5 5l10 10M15 5 5 15";
const arrow = (d) => [
  svg("rect", { x: 2, y: 2, width: 16, height: 16, rx: 3.5, fill: "#3b88c3" }),
  stroke(d, "#fff", 1.9),
];
const hourglass = () => [
  svg("path", { d: "M5 3h10c0 4-4 5-4 7s4 3 4 7H5c0-4 4-5 4-7s-4-3-4-7Z", fill: "#f4d9a0" }),
  stroke("M4 2.8h12M4 17.2h12", "#8a5a2b", 2),
];
const tickBox = () => [
  svg("rect", { x: 2, y: 2, width: 16, height: 16, rx: 3.5, fill: "#2e9e5b" }),
  stroke(TICK, "#fff", 2.2),
];

const DRAWN = {
  red_circle: disc("#dd2e44"),
  large_red_circle: disc("#dd2e44"),
  large_orange_circle: disc("#f4900c"),
  large_yellow_circle: disc("#fdcb58"),
  large_green_circle: disc("#52a53a"),
  large_blue_circle: disc("#3b88c3"),
  large_purple_circle: disc("#9266cc"),
  large_brown_circle: disc("#a0694a"),
  white_circle: disc("#c9ccd1"),
  black_circle: disc("#31373d"),
  large_red_square: block("#dd2e44"),
  large_orange_square: block("#f4900c"),
  large_yellow_square: block("#fdcb58"),
  large_green_square: block("#52a53a"),
  large_blue_square: block("#3b88c3"),
  white_large_square: block("#c9ccd1"),
  black_large_square: block("#31373d"),
  white_medium_square: block("#c9ccd1"),
  black_medium_square: block("#31373d"),
  white_check_mark: tickBox,
  heavy_check_mark: () => stroke(TICK, "currentColor"),
  ballot_box_with_check: tickBox,
  x: () => stroke(CROSS, "#dd2e44", 3.4),
  negative_squared_cross_mark: () => [
    svg("rect", { x: 2, y: 2, width: 16, height: 16, rx: 3.5, fill: "#2e9e5b" }),
    stroke("M6.5 6.5l7 7M13.5 6.5l-7 7", "#fff", 2.2),
  ],
  heavy_multiplication_x: () => stroke(CROSS, "currentColor"),
  warning: () => [
    svg("path", {
      d: "M10 2.2 18.6 17.4H1.4z",
      fill: "#ffcc4d",
      stroke: "#ffcc4d",
      "stroke-width": 1.5,
      "stroke-linejoin": "round",
    }),
    stroke("M10 7.4v4.4M10 14.6v.01", "#4a3b0a", 2.1),
  ],
  information_source: () => [
    svg("rect", { x: 2, y: 2, width: 16, height: 16, rx: 3.5, fill: "#3b88c3" }),
    stroke("M10 9.2v5M10 6v.01", "#fff", 2.2),
  ],
  hourglass: hourglass,
  hourglass_flowing_sand: hourglass,
  arrow_right: () => arrow("M5 10h10M11 6l4 4-4 4"),
  arrow_left: () => arrow("M15 10H5M9 6l-4 4 4 4"),
  arrow_up: () => arrow("M10 15V5M6 9l4-4 4 4"),
  arrow_down: () => arrow("M10 5v10M6 11l4 4 4-4"),
  arrows_counterclockwise: () =>
    arrow("M14.5 8.5A5 5 0 0 0 5.6 7.6M5.5 11.5a5 5 0 0 0 8.9.9M5.4 4.8v2.9h2.9M14.6 15.2v-2.9h-2.9"),
  double_vertical_bar: () => arrow("M7.5 6v8M12.5 6v8"),
  rotating_light: () => [
    svg("path", { d: "M5 14.5V10a5 5 0 0 1 10 0v4.5z", fill: "#dd2e44" }),
    svg("rect", { x: 3, y: 14, width: 14, height: 3.5, rx: 1, fill: "#66757f" }),
    stroke("M10 1.2v2M3.2 4.2l1.4 1.4M16.8 4.2l-1.4 1.4", "#f4900c", 1.6),
  ],
  lock: () => [
    svg("rect", { x: 4, y: 9, width: 12, height: 9, rx: 2, fill: "#f4b63f" }),
    stroke("M6.5 9V6.5a3.5 3.5 0 0 1 7 0V9", "#8b8f96", 2),
  ],
  octagonal_sign: () => svg("path", { d: "M6.7 2h6.6L18 6.7v6.6L13.3 18H6.7L2 13.3V6.7z", fill: "#dd2e44" }),
  bell: () => [
    svg("path", { d: "M10 2.5a5 5 0 0 1 5 5c0 4 1.5 5 2 6.5H3c.5-1.5 2-2.5 2-6.5a5 5 0 0 1 5-5Z", fill: "#f4b63f" }),
    stroke("M8.5 16.5h3", "#f4b63f", 2.2),
  ],
  no_entry: () => [
    svg("circle", { cx: 10, cy: 10, r: 8, fill: "#dd2e44" }),
    svg("rect", { x: 5, y: 8.5, width: 10, height: 3, rx: 0.8, fill: "#fff" }),
  ],
  no_entry_sign: () => [
    svg("circle", { cx: 10, cy: 10, r: 6.8, fill: "none", stroke: "#dd2e44", "stroke-width": 2.6 }),
    stroke("M5.4 5.4l9.2 9.2", "#dd2e44"),
  ],
};

let coloured = null;

/** Whether this browser has an emoji font: only with one does an emoji come out in colour. */
function hasFont() {
  if (coloured !== null) return coloured;
  const draw = (text) => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [24, 24];
    const pen = canvas.getContext("2d");
    pen.font = "16px sans-serif";
    pen.fillText(text, 0, 18);
    return pen.getImageData(0, 0, 24, 24).data;
  };
  coloured = draw("👍").some((value, index) => index % 4 !== 3 && value !== 0);
  return coloured;
}

export const isEmoji = (name) => Object.hasOwn(DRAWN, base(name)) || Object.hasOwn(CHARACTERS, base(name));

/** `wave::skin-tone-3` is drawn like `wave`. */
const base = (name) => name.replace(/::skin-tone-[2-6]$/, "");

/** A node for a short code (without colons); for an unknown one its text, as Slack shows it. */
export function emoji(name) {
  const plain = base(name);
  const label = `:${name}:`;
  if (Object.hasOwn(DRAWN, plain)) {
    const drawing = svg("svg", { viewBox: "0 0 20 20", "aria-hidden": "true", focusable: "false" }, DRAWN[plain]());
    return el("span", { class: "emoji drawn", role: "img", "aria-label": label, title: label }, drawing);
  }
  if (Object.hasOwn(CHARACTERS, plain)) {
    if (!hasFont()) return el("span", { class: "emoji spelled" }, label);
    return el("span", { class: "emoji", role: "img", "aria-label": label, title: label }, CHARACTERS[plain]);
  }
  return document.createTextNode(label);
}
