// Memory of the kernels: views of arrays, and matrices with padded, aligned rows.

#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

namespace milpcount {

using Index = std::int64_t;
using Word = std::uint64_t;

// A request that a kernel cannot serve; the message names the limit and the way out.
struct OverLimit : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// An argument that does not have the shape, type or layout that was agreed on.
struct BadArgument : std::runtime_error {
    using std::runtime_error::runtime_error;
};

inline constexpr std::size_t ALIGNMENT = 64;  // bytes: a cache line and the widest register
inline constexpr std::size_t LARGEST = std::size_t{1} << 43;  // bytes: no machine has so much

// Raw memory that is aligned, zero at first, and says how much was asked for when there is none.
// What is never written takes no memory: the system gives zeros only when they are touched.
template <class T>
class Buffer {
    static_assert(std::is_trivially_copyable_v<T>);

  public:
    Buffer() = default;
    explicit Buffer(std::size_t size) : size_(size) {
        if (size == 0) return;
        if (size > LARGEST / sizeof(T)) fail(size);
        raw_ = std::calloc(size * sizeof(T) + ALIGNMENT, 1);
        if (raw_ == nullptr) fail(size);
        const auto at = reinterpret_cast<std::uintptr_t>(raw_);
        data_ = reinterpret_cast<T*>((at + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
    }
    Buffer(const Buffer& other) : Buffer(other.size_) {
        if (size_ != 0) std::memcpy(data_, other.data_, size_ * sizeof(T));
    }
    Buffer(Buffer&& other) noexcept { swap(other); }
    Buffer& operator=(Buffer other) noexcept {
        swap(other);
        return *this;
    }
    ~Buffer() { std::free(raw_); }

    void swap(Buffer& other) noexcept {
        std::swap(raw_, other.raw_);
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
    }
    // More room; what was there stays.
    void grow(std::size_t size) {
        if (size <= size_) return;
        Buffer larger(size);
        if (size_ != 0) std::memcpy(larger.data_, data_, size_ * sizeof(T));
        swap(larger);
    }

    T* data() { return data_; }
    const T* data() const { return data_; }
    std::size_t size() const { return size_; }
    T& operator[](std::size_t i) { return data_[i]; }
    const T& operator[](std::size_t i) const { return data_[i]; }
    std::span<const T> span() const { return {data_, size_}; }
    T* begin() { return data_; }
    T* end() { return data_ + size_; }
    const T* begin() const { return data_; }
    const T* end() const { return data_ + size_; }

  private:
    [[noreturn]] static void fail(std::size_t size) {
        const double gigabytes = static_cast<double>(size) * static_cast<double>(sizeof(T)) / 1e9;
        throw OverLimit("a kernel asked for " + std::to_string(gigabytes) +
                        " GB of memory and there is not so much; use fewer workers or engine "
                        "tree-highs");
    }

    void* raw_ = nullptr;
    T* data_ = nullptr;
    std::size_t size_ = 0;
};

// Rows padded to whole cache lines, so that loops over `stride()` need no remainder; padding is
// zero at first and may hold anything later.
template <class T>
class Matrix {
  public:
    Matrix() = default;
    Matrix(std::size_t rows, std::size_t columns)
        : rows_(rows), columns_(columns), stride_(padded(columns)), data_(product(rows, stride_)) {}

    static std::size_t padded(std::size_t columns) {
        constexpr std::size_t per_line = ALIGNMENT / sizeof(T) > 0 ? ALIGNMENT / sizeof(T) : 1;
        return (columns + per_line - 1) / per_line * per_line;
    }
    T* operator[](std::size_t row) { return data_.data() + row * stride_; }
    const T* operator[](std::size_t row) const { return data_.data() + row * stride_; }
    std::size_t rows() const { return rows_; }
    std::size_t columns() const { return columns_; }
    std::size_t stride() const { return stride_; }
    void grow_rows(std::size_t rows) {
        if (rows <= rows_) return;
        data_.grow(product(rows, stride_));
        rows_ = rows;
    }

  private:
    // Numbers in so many rows, or so many that nothing has room for them.
    static std::size_t product(std::size_t rows, std::size_t stride) {
        return stride != 0 && rows > LARGEST / stride ? LARGEST : rows * stride;
    }

    std::size_t rows_ = 0, columns_ = 0, stride_ = 0;
    Buffer<T> data_;
};

}  // namespace milpcount
