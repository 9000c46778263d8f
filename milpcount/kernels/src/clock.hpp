// The time that a run may take.

#pragma once

#include <algorithm>
#include <chrono>

namespace milpcount {

// Asked after every step; looks at the clock the oftener the longer steps take.
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
        rest_ = every_;
        return now >= end_;
    }

  private:
    using Steady = std::chrono::steady_clock;
    static constexpr double LONGEST = 1e9;  // seconds: as good as without an end
    static constexpr int MOST = 64;         // steps

    int every_ = 1, rest_ = 1;  // steps between two looks, and until the next
    Steady::time_point last_, end_;
};

}  // namespace milpcount
