#include "complex.hpp"

#include <algorithm>

namespace milpcount {

Word Numbering::hash(std::span<const Word> key) {
    Word h = 0x9e3779b97f4a7c15ULL + key.size();
    for (const Word x : key) {
        h = (h ^ x) * 0xbf58476d1ce4e5b9ULL;
        h ^= h >> 31;
    }
    return h;
}

void Numbering::widen() {
    const std::size_t size = std::max<std::size_t>(64, 2 * places_.size());
    places_.assign(size, -1);
    for (std::size_t k = 0; k < hashes_.size(); ++k) {
        std::size_t p = hashes_[k] & (size - 1);
        while (places_[p] >= 0) p = (p + 1) & (size - 1);
        places_[p] = static_cast<Index>(k);
    }
}

Index Numbering::number(std::span<const Word> key_, bool& fresh) {
    if (2 * (hashes_.size() + 1) > places_.size()) widen();
    const Word h = hash(key_);
    std::size_t p = h & (places_.size() - 1);
    for (; places_[p] >= 0; p = (p + 1) & (places_.size() - 1)) {
        const Index k = places_[p];
        if (hashes_[static_cast<std::size_t>(k)] != h) continue;
        const auto other = key(k);
        if (std::equal(other.begin(), other.end(), key_.begin(), key_.end())) {
            fresh = false;
            return k;
        }
    }
    places_[p] = static_cast<Index>(hashes_.size());
    hashes_.push_back(h);
    keys_.insert(keys_.end(), key_.begin(), key_.end());
    begin_.push_back(keys_.size());
    fresh = true;
    return places_[p];
}

void Numbering::clear() {
    keys_.clear();
    begin_.assign(1, 0);
    hashes_.clear();
    places_.clear();
}

Complex::Complex(Subdivision& search, const std::int8_t* root)
    : net(search.net()),
      layout(search.layout()),
      search_(search),
      root_(root, root + search.net().units) {}

void Complex::take(Cell& cell) {
    const auto n = static_cast<std::size_t>(net.n);
    const auto pairs = static_cast<std::size_t>(2 * layout.stride);
    std::vector<Index> vertices(static_cast<std::size_t>(cell.corners));
    std::vector<Word> seen(pairs, 0);
    for (Index v = 0; v < cell.corners; ++v) {
        const std::span<const Word> key{cell.signs.data() + static_cast<std::size_t>(v) * pairs,
                                        pairs};
        for (std::size_t w = 0; w < pairs; ++w) seen[w] |= key[w];
        bool fresh = false;
        const Index id = numbers_.number(key, fresh);
        vertices[static_cast<std::size_t>(v)] = id;
        // A vertex that was met before and is known well enough need not be placed again.
        if (!fresh && error[static_cast<std::size_t>(id)] <= 1e-14) continue;
        search_.refine_vertex(cell, v);
        const double* from = cell.at.data() + v * net.n;
        if (fresh) {
            at.insert(at.end(), from, from + n);
            error.push_back(cell.error[v]);
        } else if (cell.error[v] < error[static_cast<std::size_t>(id)]) {
            std::copy(from, from + n, at.begin() + id * net.n);
            error[static_cast<std::size_t>(id)] = cell.error[v];
        }
    }
    for (Index l = 0; l < net.layers; ++l)
        for (Index i = 0; i < net.widths[l]; ++i) {
            const auto w = static_cast<std::size_t>(2 * (layout.first[l + 1] + (i >> 6)));
            const Word bit = bit_of(i);
            const std::int8_t preset = root_[static_cast<std::size_t>(net.starts[l] + i)];
            const int sign = (seen[w] & bit) ? 1 : (seen[w + 1] & bit) ? -1 : 0;
            cell_signs.push_back(static_cast<std::int8_t>(preset == 0 ? sign : preset > 0 ? 1 : -1));
        }
    cell_vertices_.push_back(std::move(vertices));
    take_facets(cell);
}

namespace {

bool within(const std::vector<Word>& a, const std::vector<Word>& b) {
    for (std::size_t w = 0; w < a.size(); ++w)
        if ((a[w] & ~b[w]) != 0) return false;
    return true;
}

// Leaves the maximal sets, each once, in the order in which they came.
void keep_maximal(std::vector<std::vector<Word>>& sets) {
    std::vector<std::vector<Word>> kept;
    for (std::size_t a = 0; a < sets.size(); ++a) {
        bool maximal = true;
        for (std::size_t b = 0; b < sets.size() && maximal; ++b)
            if (a != b && within(sets[a], sets[b]) && (b < a || !within(sets[b], sets[a])))
                maximal = false;
        if (maximal) kept.push_back(sets[a]);
    }
    sets.swap(kept);
}

}  // namespace

void Complex::take_facets(const Cell& cell) {
    const auto words = static_cast<std::size_t>(words_for(cell.corners));
    std::vector<std::vector<Word>> facets;
    for_each_bit(cell.used, [&](int f) {
        std::vector<Word> on(words, 0);
        for (Index v = 0; v < cell.corners; ++v)
            if ((cell.facets[v] >> f) & 1U) on[static_cast<std::size_t>(v >> 6)] |= bit_of(v);
        facets.push_back(std::move(on));
    });
    // In a simple polytope all rows that are left are facets, each once.
    if (!cell.simple) keep_maximal(facets);
    cell_facets_.push_back(std::move(facets));
}

Index Complex::number_of(const Local& face, Numbering& numbering, Faces& into, bool& fresh) {
    const auto& vertices = cell_vertices_[static_cast<std::size_t>(face.cell)];
    ids_.clear();
    for (std::size_t w = 0; w < face.on.size(); ++w)
        for_each_bit(face.on[w], [&](int b) {
            ids_.push_back(static_cast<Word>(vertices[64 * w + static_cast<std::size_t>(b)]));
        });
    std::sort(ids_.begin(), ids_.end());
    const Index id = numbering.number(ids_, fresh);
    if (fresh) {
        for (const Word v : ids_) into.vertices.push_back(static_cast<Index>(v));
        into.begin.push_back(static_cast<Index>(into.vertices.size()));
    }
    return id;
}

void Complex::add_facets_of(Index dimension, const std::vector<Local>& of,
                            std::vector<Local>& found) {
    Faces& here = faces[static_cast<std::size_t>(dimension)];
    Faces& below = faces[static_cast<std::size_t>(dimension - 1)];
    Numbering numbering;
    for (const Local& face : of) {
        const auto& facets = cell_facets_[static_cast<std::size_t>(face.cell)];
        std::vector<std::vector<Word>> parts;
        if (dimension == net.n) {
            parts = facets;
        } else {
            for (const auto& facet : facets) {
                std::vector<Word> common(face.on.size());
                bool any = false, proper = false;
                for (std::size_t w = 0; w < common.size(); ++w) {
                    common[w] = face.on[w] & facet[w];
                    any |= common[w] != 0;
                    proper |= common[w] != face.on[w];
                }
                if (any && proper) parts.push_back(std::move(common));
            }
            keep_maximal(parts);
        }
        for (auto& part : parts) {
            Local local{face.cell, std::move(part)};
            Index id;
            if (dimension == 1) {
                // Vertices are numbered already.
                std::size_t w = 0;
                while (local.on[w] == 0) ++w;
                const auto& vertices = cell_vertices_[static_cast<std::size_t>(local.cell)];
                id = vertices[64 * w + static_cast<std::size_t>(lowest_bit(local.on[w]))];
            } else {
                bool fresh = false;
                id = number_of(local, numbering, below, fresh);
                if (fresh) found.push_back(std::move(local));
            }
            here.facets.push_back(id);
        }
        here.facet_begin.push_back(static_cast<Index>(here.facets.size()));
    }
}

void Complex::finish(bool all) {
    const auto n = static_cast<std::size_t>(net.n);
    faces.assign(n + 1, Faces{});
    Faces& top = faces[n];
    std::vector<Local> of;
    for (std::size_t c = 0; c < cell_vertices_.size(); ++c) {
        std::vector<Index> sorted = cell_vertices_[c];
        std::sort(sorted.begin(), sorted.end());
        top.vertices.insert(top.vertices.end(), sorted.begin(), sorted.end());
        top.begin.push_back(static_cast<Index>(top.vertices.size()));
        std::vector<Word> everything(static_cast<std::size_t>(words_for(
            static_cast<Index>(sorted.size()))), ~Word{0});
        if (sorted.size() % 64 != 0)
            everything.back() = bit_of(static_cast<Index>(sorted.size())) - 1;
        of.push_back({static_cast<Index>(c), std::move(everything)});
    }
    for (Index v = 0; v < vertices(); ++v) {
        faces[0].vertices.push_back(v);
        faces[0].begin.push_back(v + 1);
        faces[0].facet_begin.push_back(0);
    }
    for (Index k = net.n; k >= 1; --k) {
        std::vector<Local> found;
        add_facets_of(k, of, found);
        of.swap(found);
        if (!all) break;
    }
    const Index facets = faces[n - 1].count();
    facet_cells.assign(static_cast<std::size_t>(2 * facets), -1);
    for (Index c = 0; c < top.count(); ++c)
        for (Index k = top.facet_begin[c]; k < top.facet_begin[c + 1]; ++k) {
            Index* pair = facet_cells.data() + 2 * top.facets[k];
            if (pair[0] < 0)
                pair[0] = c;
            else if (pair[1] < 0)
                pair[1] = c;
            else
                throw BadArgument("three cells share a facet; this is a defect of milpcount");
        }
}

}  // namespace milpcount
