// A partition of 0 .. n - 1 that merges: union-find.

#pragma once

#include <algorithm>

#include "arrays.hpp"

namespace milpcount {

struct Partition {
    explicit Partition(Index n) : parent(static_cast<std::size_t>(n)) {
        for (Index k = 0; k < n; ++k) parent[k] = k;
    }
    Index size() const { return static_cast<Index>(parent.size()); }
    // The representative of an element; halves the path.
    Index find(Index a) {
        while (parent[a] != a) {
            parent[a] = parent[parent[a]];
            a = parent[a];
        }
        return a;
    }
    // Merge the parts of two elements; false if they are one part.  The smaller representative
    // stays.
    bool unite(Index a, Index b) {
        a = find(a);
        b = find(b);
        if (a == b) return false;
        parent[std::max(a, b)] = std::min(a, b);
        return true;
    }

    Buffer<Index> parent;
};

}  // namespace milpcount
