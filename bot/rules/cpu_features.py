"""Names of CPU features, by word and bit, and the comparison of hosts by them.

The order of words is that of 7.0 and later; 6.x has four words in another order. Bits that vary with firmware,
microcode or mitigations are no reason to think two CPUs different and are left out (`*`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache

from bot.inventory import Inventory
from bot.rules.cpu import words

KEYS = ("features_hvm_host", "features_hvm", "features")
"""Keys of cpu_info, the best first: what a VM gets at boot (8.1), the most that can arrive (7.0), both (6.x)."""

_ORDER_OF_6 = (1, 0, 3, 2)

_NAMES = (
    "0 fpu,1 vme,2 de,3 pse,4 tsc,5 msr,6 pae,7 mce,8 cx8,9 apic*,11 sep,12 mtrr,13 pge,14 mca,15 cmov,16 pat,17 pse36,"
    "19 clflush,21 ds,22 acpi,23 mmx,24 fxsr,25 sse,26 sse2,27 ss,28 htt*,29 tm,31 pbe",
    "0 sse3,1 pclmulqdq,2 dtes64,3 monitor,4 ds_cpl,5 vmx,6 smx,7 est,8 tm2,9 ssse3,11 sdbg,12 fma,13 cx16,14 xtpr,"
    "15 pdcm,17 pcid,18 dca,19 sse4_1,20 sse4_2,21 x2apic,22 movbe,23 popcnt,24 tsc_deadline,25 aes,26 xsave,"
    "27 osxsave*,28 avx,29 f16c,30 rdrand,31 hypervisor*",
    "11 syscall,20 nx,22 mmxext,25 fxsr_opt,26 pdpe1gb,27 rdtscp,29 lm,30 3dnowext,31 3dnow",
    "0 lahf_lm,1 cmp_legacy*,2 svm,3 extapic,4 cr8_legacy,5 lzcnt,6 sse4a,7 misalignsse,8 3dnowprefetch,9 osvw,10 ibs,"
    "11 xop,12 skinit,13 wdt,15 lwp,16 fma4,19 nodeid_msr,21 tbm,22 topoext,26 bpext,29 mwaitx",
    "0 xsaveopt,1 xsavec,2 xgetbv1,3 xsaves",
    "0 fsgsbase,1 tsc_adjust,2 sgx,3 bmi1,4 hle*,5 avx2,6 fdp_excptn_only*,7 smep,8 bmi2,9 erms,10 invpcid,11 rtm*,"
    "12 cqm,13 no_fpu_sel*,14 mpx*,15 rdt_a,16 avx512f,17 avx512dq,18 rdseed,19 adx,20 smap,21 avx512ifma,"
    "23 clflushopt,24 clwb,26 avx512pf,27 avx512er,28 avx512cd,29 sha_ni,30 avx512bw,31 avx512vl",
    "0 prefetchwt1,1 avx512vbmi,2 umip,3 pku,4 ospke*,5 waitpkg,6 avx512_vbmi2,7 cet_ss,8 gfni,9 vaes,10 vpclmulqdq,"
    "11 avx512_vnni,12 avx512_bitalg,13 tme,14 avx512_vpopcntdq,16 la57,22 rdpid,24 bus_lock_detect,25 cldemote,"
    "27 movdiri,28 movdir64b,29 enqcmd,30 sgx_lc,31 pks",
    "7 hw_pstate,8 itsc,9 cpb,10 efro",
    "0 clzero,2 rstr_fp_err_ptrs,9 wbnoinvd,12 ibpb*,14 ibrs*,15 amd_stibp*,16 ibrs_always*,17 stibp_always*,"
    "18 ibrs_fast*,19 ibrs_same_mode*,20 no_lmsl,23 amd_ppin,24 amd_ssbd*,25 virt_ssbd*,26 ssb_no*,28 psfd*,29 btc_no*,"
    "30 ibpb_ret*",
    "2 avx512_4vnniw,3 avx512_4fmaps,4 fsrm,8 avx512_vp2intersect,9 srbds_ctrl*,10 md_clear*,11 rtm_always_abort*,"
    "13 tsx_force_abort*,14 serialize,15 hybrid,16 tsxldtrk,18 pconfig,19 arch_lbr,20 cet_ibt,22 amx_bf16,"
    "23 avx512_fp16,24 amx_tile,25 amx_int8,26 ibrsb*,27 stibp*,28 l1d_flush*,29 arch_caps*,30 core_caps,31 ssbd*",
    "0 sha512,1 sm3,2 sm4,4 avx_vnni,5 avx512_bf16,7 cmpccxadd,10 fzrm,11 fsrs,12 fsrcs,17 fred,19 wrmsrns,21 amx_fp16,"
    "23 avx_ifma",
    "0 no_nest_bp,1 fs_gs_ns,2 lfence_dispatch,5 verw_clear*,6 nscb,8 auto_ibrs*,10 amd_fsrs,11 amd_fsrc,"
    "17 cpuid_user_dis,18 epsf,19 fsrsc,20 amd_prefetchi,27 sbpb*,28 ibpb_brtype*,29 srso_no*,30 srso_us_no*,"
    "31 srso_msr_fix*",
    "0 intel_ppin",
    "0 intel_psfd*,1 ipred_ctrl*,2 rrsba_ctrl*,3 ddp_ctrl*,4 bhi_ctrl*,5 mcdt_no*",
    "",
    "4 avx_vnni_int8,5 avx_ne_convert,8 amx_complex,10 avx_vnni_int16,14 prefetchi,18 cet_sss",
)
_MITIGATIONS_FROM = len(_NAMES)
"""Later words are the ARCH_CAPS register and its like: all of their bits are `*`."""


@cache
def _table() -> Mapping[tuple[int, int], str]:
    return {
        (word, int(bit)): name
        for word, line in enumerate(_NAMES)
        for bit, _, name in (entry.partition(" ") for entry in line.split(",") if entry)
    }


def in_order(features: str) -> tuple[int, ...]:
    """The words in today's order; a string of four words is 6.x's."""
    found = words(features)
    return tuple(found[index] for index in _ORDER_OF_6) if len(found) == len(_ORDER_OF_6) else found


def names(found: Iterable[int]) -> tuple[str, ...]:
    """The names of the bits that are set, without those that mean nothing; a nameless bit is told by its place."""
    named = []
    for word, value in enumerate(found):
        if word >= _MITIGATIONS_FROM:
            break
        for bit in range(32):
            if value >> bit & 1:
                name = _table().get((word, bit), f"bit {bit} of word {word}")
                if not name.endswith("*"):
                    named.append(name)
    return tuple(named)


def lacking(wanted: str, offered: str) -> tuple[str, ...]:
    """Features of `wanted` that `offered` has not, by name; the shorter string is extended with zeros."""
    have = in_order(offered)
    gaps = (word & ~(have[index] if index < len(have) else 0) for index, word in enumerate(in_order(wanted)))
    return names(gaps)


def key_of_all(infos: Iterable[Mapping[str, str]]) -> str:
    """The best key that every one of these has; "" when there is none to compare by."""
    given = list(infos)
    return next((key for key in KEYS if given and all(info.get(key) for info in given)), "")


def of_hosts(inventory: Inventory) -> Mapping[str, str]:
    """Each host's features under the one key that all of them have: host's reference → features. Empty if none."""
    key = key_of_all(host.cpu_info for host in inventory.hosts)
    return {host.ref: host.cpu_info[key] for host in inventory.hosts} if key else {}


def lacked_by(inventory: Inventory) -> Mapping[str, tuple[str, ...]]:
    """Host's reference → features that some other host has and it has not; only hosts that lack something."""
    features = of_hosts(inventory)
    found: dict[str, tuple[str, ...]] = {}
    for ref, own in features.items():
        missing = dict.fromkeys(name for other in features.values() for name in lacking(other, own))
        if missing:
            found[ref] = tuple(missing)
    return found
