// Which of the compiled variants this processor can run.

#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include <cstdint>
#include <string>

#if defined(__x86_64__) || defined(_M_X64)
#define MILPCOUNT_X86 1
#if defined(_MSC_VER)
#include <intrin.h>
#else
#include <cpuid.h>
#endif
#endif

namespace {

#ifdef MILPCOUNT_X86

struct Registers {
    std::uint32_t a, b, c, d;
};

Registers cpuid(std::uint32_t leaf) {
    Registers r{0, 0, 0, 0};
#if defined(_MSC_VER)
    int words[4];
    __cpuidex(words, 0, 0);
    if (static_cast<std::uint32_t>(words[0]) < (leaf & 0x7fffffffU) && leaf < 0x80000000U) return r;
    __cpuidex(words, static_cast<int>(leaf), 0);
    r = {static_cast<std::uint32_t>(words[0]), static_cast<std::uint32_t>(words[1]),
         static_cast<std::uint32_t>(words[2]), static_cast<std::uint32_t>(words[3])};
#else
    __get_cpuid_count(leaf, 0, &r.a, &r.b, &r.c, &r.d);
#endif
    return r;
}

// What registers the operating system saves for a thread.
std::uint64_t saved_registers() {
#if defined(_MSC_VER)
    return _xgetbv(0);
#else
    std::uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (static_cast<std::uint64_t>(high) << 32) | low;
#endif
}

bool has(std::uint32_t word, int bit) { return (word >> bit) & 1U; }

// The levels v3 and v4 of the x86-64 ABI.
std::string best() {
    const Registers basic = cpuid(1), more = cpuid(7), extended = cpuid(0x80000001U);
    const bool saves = has(basic.c, 27);
    if (!saves) return "baseline";
    const std::uint64_t saved = saved_registers();
    const bool fma = has(basic.c, 12), movbe = has(basic.c, 22), popcnt = has(basic.c, 23);
    const bool avx = has(basic.c, 28), f16c = has(basic.c, 29);
    const bool bmi1 = has(more.b, 3), avx2 = has(more.b, 5), bmi2 = has(more.b, 8);
    const bool lzcnt = has(extended.c, 5);
    const bool v3 = fma && movbe && popcnt && avx && f16c && bmi1 && avx2 && bmi2 && lzcnt &&
                    (saved & 0x6U) == 0x6U;
    if (!v3) return "baseline";
    const bool f = has(more.b, 16), dq = has(more.b, 17), cd = has(more.b, 28);
    const bool bw = has(more.b, 30), vl = has(more.b, 31);
    const bool v4 = f && dq && cd && bw && vl && (saved & 0xe6U) == 0xe6U;
    return v4 ? "avx512" : "avx2";
}

#else

std::string best() { return "baseline"; }

#endif

}  // namespace

NB_MODULE(_processor, m) { m.def("best", &best, "The richest variant that this processor runs."); }
