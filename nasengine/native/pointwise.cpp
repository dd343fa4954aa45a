// Grouped 1x1 convolutions over channels-last float32 images: for each member a product of two small matrices.
//
// Pixels are taken in blocks that fit the nearest cache, member by member. Vectors run over the numbers of a row of the
// result, numbers of the other operand are broadcast, and a tile of results stays in registers. A row that vectors do
// not divide is finished with shorter ones, and at last one by one.

#include <algorithm>
#include <cstddef>
#include <vector>

namespace {

#if defined(__AVX512F__)
constexpr int WIDTH = 16, TILE = 8;  // TILE: rows of a tile, of two vectors each
#elif defined(__AVX__)
constexpr int WIDTH = 8, TILE = 4;
#elif defined(__aarch64__)
constexpr int WIDTH = 4, TILE = 8;
#else
constexpr int WIDTH = 4, TILE = 4;
#endif
typedef std::ptrdiff_t Index;
#define ALONE __attribute__((noinline))  // an inner loop that shares no registers with what is around it

constexpr Index BLOCK = 8 * 1024;  // numbers of a block of pixels: 32 KiB

template <int LANES> struct Lanes;
template <> struct Lanes<16> { typedef float Vector __attribute__((vector_size(64), aligned(4), may_alias)); };
template <> struct Lanes<8> { typedef float Vector __attribute__((vector_size(32), aligned(4), may_alias)); };
template <> struct Lanes<4> { typedef float Vector __attribute__((vector_size(16), aligned(4), may_alias)); };
template <> struct Lanes<1> { typedef float Vector; };

struct Shape {  // the order of the numbers is pointwise.py's
  Index pixels, members, channels, outputs;
  Index block() const { return std::max<Index>(16, BLOCK / (members * (channels + outputs)) / 8 * 8); }
};

// Rows of `depth` numbers times a matrix (depth, width) give rows of `width` numbers.
struct Product {
  const float* from;
  Index from_step;  // numbers from one row to the next
  const float* matrix;
  Index depth, width;
  float* to;
  Index to_step, rows;
};

template <int LANES, int VECTORS, int ROWS>
ALONE void multiply_tile(const Product& work, Index row, Index column) {
  typedef typename Lanes<LANES>::Vector Vector;
  Vector sums[ROWS][VECTORS] = {};
  const float* from = work.from + row * work.from_step;
  const float* matrix = work.matrix + column;
  for (Index at = 0; at < work.depth; at++, matrix += work.width) {
    Vector factors[VECTORS];
#pragma GCC unroll 2
    for (int v = 0; v < VECTORS; v++) factors[v] = *reinterpret_cast<const Vector*>(matrix + v * LANES);
#pragma GCC unroll 8
    for (int r = 0; r < ROWS; r++)
#pragma GCC unroll 2
      for (int v = 0; v < VECTORS; v++) sums[r][v] += factors[v] * from[r * work.from_step + at];
  }
  float* to = work.to + row * work.to_step + column;
#pragma GCC unroll 8
  for (int r = 0; r < ROWS; r++)
#pragma GCC unroll 2
    for (int v = 0; v < VECTORS; v++) *reinterpret_cast<Vector*>(to + r * work.to_step + v * LANES) = sums[r][v];
}

// Rows of `from`, each number times the row of `with` of the same pixel, summed over pixels into (depth, width).
struct Correlation {
  const float* from;
  Index from_step;
  const float* with;
  Index with_step, depth, width;
  float* sums;
  Index pixels;
};

template <int LANES, int VECTORS, int ROWS>
ALONE void correlate_tile(const Correlation& work, Index row, Index column) {
  typedef typename Lanes<LANES>::Vector Vector;
  Vector total[ROWS][VECTORS] = {};
  const float *from = work.from + row, *with = work.with + column;
  for (Index pixel = 0; pixel < work.pixels; pixel++, from += work.from_step, with += work.with_step) {
    Vector factors[VECTORS];
#pragma GCC unroll 2
    for (int v = 0; v < VECTORS; v++) factors[v] = *reinterpret_cast<const Vector*>(with + v * LANES);
#pragma GCC unroll 8
    for (int r = 0; r < ROWS; r++)
#pragma GCC unroll 2
      for (int v = 0; v < VECTORS; v++) total[r][v] += factors[v] * from[r];
  }
  float* to = work.sums + row * work.width + column;
#pragma GCC unroll 8
  for (int r = 0; r < ROWS; r++)
#pragma GCC unroll 2
    for (int v = 0; v < VECTORS; v++) *reinterpret_cast<Vector*>(to + r * work.width + v * LANES) += total[r][v];
}

template <int LANES, int VECTORS, int ROWS>
void run_tile(const Product& work, Index row, Index column) {
  multiply_tile<LANES, VECTORS, ROWS>(work, row, column);
}

template <int LANES, int VECTORS, int ROWS>
void run_tile(const Correlation& work, Index row, Index column) {
  correlate_tile<LANES, VECTORS, ROWS>(work, row, column);
}

// ---- cutting a matrix of results into tiles ----

template <int LANES, int VECTORS, class Work>
void column_of_tiles(const Work& work, Index rows, Index column) {
  Index row = 0;
  for (; row + TILE <= rows; row += TILE) run_tile<LANES, VECTORS, TILE>(work, row, column);
  if (TILE > 4 && row + 4 <= rows) run_tile<LANES, VECTORS, 4>(work, row, column), row += 4;
  if (row + 2 <= rows) run_tile<LANES, VECTORS, 2>(work, row, column), row += 2;
  if (row < rows) run_tile<LANES, VECTORS, 1>(work, row, column);
}

template <int LANES, class Work>
Index columns(const Work& work, Index rows, Index column) {
  for (; column + 2 * LANES <= work.width; column += 2 * LANES) column_of_tiles<LANES, 2>(work, rows, column);
  for (; column + LANES <= work.width; column += LANES) column_of_tiles<LANES, 1>(work, rows, column);
  return column;
}

template <class Work>
void all_tiles(const Work& work, Index rows) {
  Index column = columns<WIDTH>(work, rows, 0);
  if (WIDTH > 8) column = columns<8>(work, rows, column);
  if (WIDTH > 4) column = columns<4>(work, rows, column);
  columns<1>(work, rows, column);
}

// Turn each member's matrix (rows, columns) into (columns, rows).
void transpose(const float* from, Index members, Index rows, Index columns, float* to) {
  for (Index member = 0; member < members; member++, from += rows * columns, to += rows * columns)
    for (Index row = 0; row < rows; row++)
      for (Index column = 0; column < columns; column++) to[column * rows + row] = from[row * columns + column];
}

// Walk over blocks of pixels and, within each, over members: visit(first pixel, pixels, member).
template <class Visit>
void blocks(const Shape& shape, Visit visit) {
  for (Index first = 0; first < shape.pixels; first += shape.block())
    for (Index member = 0; member < shape.members; member++)
      visit(first, std::min(shape.block(), shape.pixels - first), member);
}

}  // namespace

extern "C" void pointwise_forward(const Shape* given, const float* input, const float* weight, float* out) {
  const Shape& shape = *given;
  Index channels = shape.channels, outputs = shape.outputs, matrix = channels * outputs;
  Index in_step = shape.members * channels, out_step = shape.members * outputs;
  std::vector<float> turned(shape.members * matrix);
  transpose(weight, shape.members, outputs, channels, turned.data());
  blocks(shape, [&](Index first, Index pixels, Index member) {
    all_tiles(Product{input + first * in_step + member * channels, in_step, &turned[member * matrix], channels, outputs,
                      out + first * out_step + member * outputs, out_step, pixels},
              pixels);
  });
}

// Write the gradients of the input and of the weights; a null pointer stands for one that nobody needs.
extern "C" void pointwise_backward(const Shape* given, const float* input, const float* weight, const float* gradient,
                                   float* input_gradient, float* weight_gradient) {
  const Shape& shape = *given;
  Index channels = shape.channels, outputs = shape.outputs, matrix = channels * outputs;
  Index in_step = shape.members * channels, out_step = shape.members * outputs;
  std::vector<float> sums(weight_gradient ? shape.members * matrix : 0);
  blocks(shape, [&](Index first, Index pixels, Index member) {
    Index in_place = first * in_step + member * channels;
    const float* with = gradient + first * out_step + member * outputs;
    if (input_gradient)
      all_tiles(Product{with, out_step, weight + member * matrix, outputs, channels, input_gradient + in_place, in_step,
                        pixels},
                pixels);
    if (weight_gradient)
      all_tiles(Correlation{input + in_place, in_step, with, out_step, channels, outputs, &sums[member * matrix],
                            pixels},
                channels);
  });
  if (weight_gradient) transpose(sums.data(), shape.members, channels, outputs, weight_gradient);
}
