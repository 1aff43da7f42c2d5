// Times as a reader in this browser's time zone sees them, and Slack's date templates.

const LOCALE = navigator.language || "en-US";
const format = (options) => new Intl.DateTimeFormat(LOCALE, options);
const english = (options) => new Intl.DateTimeFormat("en-US", options);
const clock = format({ hour: "numeric", minute: "2-digit" });
const clockSeconds = format({ hour: "numeric", minute: "2-digit", second: "2-digit" });
const full = format({ dateStyle: "full", timeStyle: "medium" });
const monthLong = english({ month: "long" });
const monthShort = english({ month: "short" });
const weekday = english({ weekday: "long" });

/** A message's `ts` ("seconds.serial") as a Date. */
export const fromTs = (ts) => new Date(Number.parseFloat(ts) * 1000);
export const timeOf = (date) => clock.format(date);
export const fullTime = (date) => full.format(date);

function ordinal(day) {
  const tens = day % 100;
  if (tens >= 11 && tens <= 13) return `${day}th`;
  return `${day}${["th", "st", "nd", "rd"][day % 10] ?? "th"}`;
}

const two = (number) => String(number).padStart(2, "0");
const midnight = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate());
const dayDistance = (date, now) => Math.round((midnight(date) - midnight(now)) / 86_400_000);

/** "today", "yesterday", "tomorrow", or null. */
function nearDay(date, now) {
  return { "-1": "yesterday", 0: "today", 1: "tomorrow" }[dayDistance(date, now)] ?? null;
}

/** Slack leaves the year out when the date is less than six months away. */
function withYear(text, date, now) {
  const halfYear = 183 * 86_400_000;
  return Math.abs(date - now) < halfYear ? text : `${text}, ${date.getFullYear()}`;
}

const long = (date, now) => withYear(`${monthLong.format(date)} ${ordinal(date.getDate())}`, date, now);
const short = (date, now) => withYear(`${monthShort.format(date)} ${date.getDate()}`, date, now);
const longest = (date, now) =>
  withYear(`${weekday.format(date)}, ${monthLong.format(date)} ${ordinal(date.getDate())}`, date, now);

const UNITS = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
  ["second", 1],
];

export function ago(date, now) {
  const seconds = Math.round((now - date) / 1000);
  const [unit, size] = UNITS.find(([, length]) => Math.abs(seconds) >= length) ?? UNITS.at(-1);
  return new Intl.RelativeTimeFormat("en", { numeric: "always" }).format(-Math.trunc(seconds / size), unit);
}

const TOKENS = {
  date_num: (d) => `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}`,
  date_slash: (d) => `${two(d.getMonth() + 1)}/${two(d.getDate())}/${d.getFullYear()}`,
  date: long,
  date_short: short,
  date_long: longest,
  date_long_full: long,
  date_pretty: (d, now) => nearDay(d, now) ?? long(d, now),
  date_short_pretty: (d, now) => nearDay(d, now) ?? short(d, now),
  date_long_pretty: (d, now) => nearDay(d, now) ?? longest(d, now),
  day_divider_pretty: (d, now) => nearDay(d, now) ?? longest(d, now),
  time: (d) => clock.format(d),
  time_secs: (d) => clockSeconds.format(d),
  ago,
};

/**
 * Slack's date template (`{date_short} at {time}`) for an epoch in seconds, or null when the epoch or the
 * template cannot be used and the fallback is to be shown (Slack docs: formatting text, date formatting).
 */
export function dateTemplate(epoch, template, now = new Date()) {
  const date = new Date(Number(epoch) * 1000);
  if (!/^-?\d+$/.test(String(epoch)) || Number.isNaN(date.getTime())) return null;
  if (!/\{\w+\}/.test(template)) return null;
  let known = true;
  const text = template.replace(/\{(\w+)\}/g, (whole, token) => {
    if (Object.hasOwn(TOKENS, token)) return TOKENS[token](date, now);
    known = false;
    return whole;
  });
  return known ? text : null;
}

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** The words of a day divider. */
export const dayName = (date, now = new Date()) => capital(TOKENS.date_long_pretty(date, now));

/** "today at 9:41 AM", for reply counts. */
export const dayAndTime = (date, now = new Date()) => `${TOKENS.date_short_pretty(date, now)} at ${clock.format(date)}`;

/** Which calendar day a date is on, comparable. */
export const dayKey = (date) => TOKENS.date_num(date);
