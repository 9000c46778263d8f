// When a run is to stop.

#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>

namespace milpcount {

// The time that it may take.  Asked after every step; looks at the clock the oftener the longer steps take.
class Clock {
  public:
    explicit Clock(double seconds)
        : last_(Steady::now()),
          end_(seconds < LONGEST ? last_ + std::chrono::duration_cast<Steady::duration>(
                                               std::chrono::duration<double>(std::max(seconds, 0.0)))
                                 : Steady::time_point::max()) {}

    bool over() {
        if (--rest_ > 0) return false;
        const auto now = Steady::now();
        every_ = now - last_ < std::chrono::milliseconds(1) ? std::min(2 * every_, MOST) : 1;
        last_ = now;
        const bool over = now >= end_;
        rest_ = over ? 1 : every_;
        return over;
    }

  private:
    using Steady = std::chrono::steady_clock;
    static constexpr double LONGEST = 1e9;  // seconds: as good as without an end
    static constexpr int MOST = 64;         // steps

    int every_ = 1, rest_ = 1;  // steps between two looks, and until the next
    Steady::time_point last_, end_;
};

// Whether the time is over, or another thread says stop.
class Halt {
  public:
    Halt(double seconds, const std::atomic<bool>& stopped) : clock_(seconds), stopped_(stopped) {}
    bool asked() { return stopped_.load(std::memory_order_relaxed) || clock_.over(); }

  private:
    Clock clock_;
    const std::atomic<bool>& stopped_;
};

}  // namespace milpcount
