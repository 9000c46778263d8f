// Counts under exact keys: what deletion and restriction have met before.

#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "arrays.hpp"

namespace milpcount {

// A number below 2^128.
struct Count {
    Word low = 0, high = 0;

    void add(const Count& other) {
        low += other.low;
        const Word carry = low < other.low ? 1 : 0;
        const Word sum = high + other.high, total = sum + carry;
        if (sum < high || total < sum) throw OverLimit("an arrangement with 2^128 regions or more");
        high = total;
    }
};

inline Word mixed(Word x) {
    x ^= x >> 32;
    x *= 0x9E3779B97F4A7C15u;
    x ^= x >> 29;
    x *= 0xBF58476D1CE4E5B9u;
    return x ^ (x >> 32);
}

// Keys are strings of bytes that are kept and compared, so that nothing is ever mistaken for
// something else.  When the memory is full no more is kept.
class CountMemory {
  public:
    using Key = std::vector<std::uint8_t>;

    explicit CountMemory(std::size_t limit) : limit_(limit) {}

    static Word hash(const Key& key) {
        Word h = key.size();
        std::size_t k = 0;
        for (; k + 8 <= key.size(); k += 8) {
            Word word;
            std::memcpy(&word, key.data() + k, 8);
            h = mixed(h ^ word);
        }
        for (; k < key.size(); ++k) h = mixed(h ^ key[k]);
        return h;
    }
    const Count* find(const Key& key, Word hash) const {
        if (entries_.empty()) return nullptr;
        for (std::size_t at = hash & mask(); table_[at] != 0; at = (at + 1) & mask()) {
            const Entry& entry = entries_[table_[at] - 1];
            if (entry.hash == hash && entry.size == key.size() &&
                std::memcmp(entry.key, key.data(), key.size()) == 0)
                return &entry.count;
        }
        return nullptr;
    }
    void keep(const Key& key, Word hash, const Count& count) {
        if (full_) return;
        // What the entry takes, and what its containers grow by at most.
        std::size_t more = key.size() + BLOCK;
        if (entries_.size() == entries_.capacity())
            more += std::max<std::size_t>(1, entries_.size()) * sizeof(Entry);
        const bool crowded = 2 * (entries_.size() + 1) > table_.size();
        if (crowded) more += std::max<std::size_t>(1024, table_.size()) * 4;
        if (bytes() + more > limit_) {
            full_ = true;
            return;
        }
        if (crowded) rehash();
        if (room_ < key.size()) {
            room_ = std::max(BLOCK, key.size());
            blocks_.push_back(std::make_unique<std::uint8_t[]>(room_));
            free_ = blocks_.back().get();
            in_blocks_ += room_;
        }
        std::memcpy(free_, key.data(), key.size());
        entries_.push_back({hash, free_, static_cast<std::uint32_t>(key.size()), count});
        free_ += key.size();
        room_ -= key.size();
        place(entries_.size());
    }
    std::size_t size() const { return entries_.size(); }
    std::size_t bytes() const {
        return in_blocks_ + entries_.capacity() * sizeof(Entry) + table_.size() * 4;
    }
    bool full() const { return full_; }

  private:
    static constexpr std::size_t BLOCK = std::size_t{1} << 18;
    struct Entry {
        Word hash;
        const std::uint8_t* key;
        std::uint32_t size;
        Count count;
    };
    std::size_t mask() const { return table_.size() - 1; }
    void place(std::size_t number) {
        std::size_t at = entries_[number - 1].hash & mask();
        while (table_[at] != 0) at = (at + 1) & mask();
        table_[at] = static_cast<std::uint32_t>(number);
    }
    void rehash() {
        table_.assign(std::max<std::size_t>(1024, 2 * table_.size()), 0);
        for (std::size_t number = 1; number <= entries_.size(); ++number) place(number);
    }

    std::size_t limit_, room_ = 0, in_blocks_ = 0;
    std::uint8_t* free_ = nullptr;
    bool full_ = false;
    std::vector<std::unique_ptr<std::uint8_t[]>> blocks_;
    std::vector<Entry> entries_;
    std::vector<std::uint32_t> table_;
};

}  // namespace milpcount
