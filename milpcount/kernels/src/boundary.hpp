// Where Python's arrays come in and go out: shape, type and layout are checked here and nowhere
// else.  Errors become members of the package's family of exceptions.

#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <atomic>
#include <string>

#include "arrays.hpp"

namespace milpcount {

namespace nb = nanobind;

inline constexpr Index ANY = -1;  // any length will do

// Throws BadArgument: "kernel argument NAME: WHAT".
[[noreturn]] void refuse(const char* name, const std::string& what);

// An argument that takes any object, so that what is no array is refused by the checks below.
inline auto array_arg(const char* name) { return nb::arg(name).none(); }

// The name of a type as NumPy spells it.
template <class T>
constexpr const char* type_name();
template <>
constexpr const char* type_name<double>() { return "float64"; }
template <>
constexpr const char* type_name<std::int64_t>() { return "int64"; }
template <>
constexpr const char* type_name<std::int8_t>() { return "int8"; }
template <>
constexpr const char* type_name<std::uint8_t>() { return "uint8"; }
template <>
constexpr const char* type_name<std::uint64_t>() { return "uint64"; }

// An array that Python owns, C-contiguous, read where it lies; alive as long as this is.
template <class T, int Dimensions>
class Input {
  public:
    Input(nb::handle object, const char* name) {
        using Array = nb::ndarray<const T, nb::ndim<Dimensions>, nb::c_contig, nb::device::cpu>;
        Array array;
        if (!nb::try_cast<Array>(object, array, false))
            refuse(name, "a C-contiguous NumPy array of type " + std::string(type_name<T>()) +
                             " with " + std::to_string(Dimensions) + " dimensions is expected");
        array_ = nb::ndarray<const T>(array);
        data_ = array.data();
        for (int k = 0; k < Dimensions; ++k) shape_[k] = static_cast<Index>(array.shape(k));
    }
    Index shape(int k) const { return shape_[k]; }
    Index size() const {
        Index total = 1;
        for (int k = 0; k < Dimensions; ++k) total *= shape_[k];
        return total;
    }
    const T* data() const { return data_; }
    std::span<const T> span() const { return {data_, static_cast<std::size_t>(size())}; }

  private:
    nb::ndarray<const T> array_;
    const T* data_ = nullptr;
    Index shape_[Dimensions] = {};
};

// A vector of this length (or ANY).
template <class T>
Input<T, 1> vector_input(nb::handle object, const char* name, Index size = ANY) {
    Input<T, 1> in(object, name);
    if (size != ANY && in.shape(0) != size)
        refuse(name, "it has " + std::to_string(in.shape(0)) + " entries, not " +
                         std::to_string(size));
    return in;
}

// A matrix of this shape (either may be ANY).
template <class T>
Input<T, 2> matrix_input(nb::handle object, const char* name, Index rows, Index columns) {
    Input<T, 2> in(object, name);
    if ((rows != ANY && in.shape(0) != rows) || (columns != ANY && in.shape(1) != columns)) {
        auto text = [](Index k) { return k == ANY ? std::string("any") : std::to_string(k); };
        refuse(name, "its shape is (" + text(in.shape(0)) + ", " + text(in.shape(1)) +
                         "), not (" + text(rows) + ", " + text(columns) + ")");
    }
    return in;
}

template <class T>
Buffer<T> copied(std::span<const T> from) {
    Buffer<T> out(from.size());
    if (!from.empty()) std::memcpy(out.data(), from.data(), from.size() * sizeof(T));
    return out;
}

template <class T>
Matrix<T> copied(const Input<T, 2>& from) {
    Matrix<T> out(static_cast<std::size_t>(from.shape(0)), static_cast<std::size_t>(from.shape(1)));
    for (Index r = 0; r < from.shape(0); ++r)
        std::memcpy(out[static_cast<std::size_t>(r)], from.data() + r * from.shape(1),
                    static_cast<std::size_t>(from.shape(1)) * sizeof(T));
    return out;
}

template <class T>
using Vector = nb::ndarray<nb::numpy, T, nb::ndim<1>, nb::c_contig>;
template <class T>
using Table = nb::ndarray<nb::numpy, T, nb::ndim<2>, nb::c_contig>;

// A new NumPy vector with a copy of these numbers.
template <class T>
Vector<T> vector_output(std::span<const T> from) {
    T* data = new T[from.size() + 1];
    if (!from.empty()) std::memcpy(data, from.data(), from.size() * sizeof(T));
    nb::capsule owner(data, [](void* p) noexcept { delete[] static_cast<T*>(p); });
    return Vector<T>(data, {from.size()}, owner);
}

// A new NumPy matrix with a copy of rows that are `stride` apart.
template <class T>
Table<T> table_output(const T* from, std::size_t rows, std::size_t columns, std::size_t stride) {
    T* data = new T[rows * columns + 1];
    if (columns != 0)
        for (std::size_t r = 0; r < rows; ++r)
            std::memcpy(data + r * columns, from + r * stride, columns * sizeof(T));
    nb::capsule owner(data, [](void* p) noexcept { delete[] static_cast<T*>(p); });
    return Table<T>(data, {rows, columns}, owner);
}

// Throws BadArgument where a number is infinite or none.
void require_finite(std::span<const double> numbers, const char* name);

// The number of weights between stages of these widths, the first of which reads so many inputs;
// and of the units.
Index sizes_of(std::span<const Index> widths, const char* name, Index inputs, Index& units);

// Marks an object as at work as long as it lives; throws BadArgument where it is already.
class AtWork {
  public:
    explicit AtWork(std::atomic<bool>& flag) : flag_(flag) {
        if (flag_.exchange(true)) throw BadArgument("a search is used by two threads at a time");
    }
    ~AtWork() { flag_.store(false); }
    AtWork(const AtWork&) = delete;
    AtWork& operator=(const AtWork&) = delete;

  private:
    std::atomic<bool>& flag_;
};

// Makes the exceptions of the kernels those of milpcount.errors.
void register_errors();

}  // namespace milpcount
