// Depthwise convolutions over channels-last float32 images, several members of a bank reading one image.
//
// An image row is one run of width * channels numbers, so vectors run over it whatever the number of channels is: the
// weights are repeated up to a `period`, the smallest common multiple of the channels and the vector's width. Images
// are first copied into padded planes (columns of a stride apart, each phase by itself; members apart), so that the
// inner loops meet no border sideways; rows above and below the image are left out, and so are taps that meet no pixel.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <vector>

namespace {

#if defined(__AVX512F__)
constexpr int WIDTH = 16, REGISTERS = 32;
#elif defined(__AVX__)
constexpr int WIDTH = 8, REGISTERS = 16;
#elif defined(__aarch64__)
constexpr int WIDTH = 4, REGISTERS = 32;
#else
constexpr int WIDTH = 4, REGISTERS = 16;
#endif
typedef float Vector __attribute__((vector_size(4 * WIDTH), aligned(4), may_alias));
typedef std::ptrdiff_t Index;
#define ALONE __attribute__((noinline))  // an inner loop that shares no registers with what is around it

constexpr Index CHUNK = 6 * 1024;  // numbers of the gradient that are taken at a time: they stay in the nearest cache

inline Vector load(const float* from) { return *reinterpret_cast<const Vector*>(from); }
inline void store(float* to, Vector value) { *reinterpret_cast<Vector*>(to) = value; }
inline Index rounded_up(Index number, Index by) { return (number + by - 1) / by; }  // of a number not below zero

struct Shape {  // the order of the numbers is depthwise.py's
  Index batch, channels, members, height, width, kernel, stride, dilation;
  Index out_height() const { return (height - 1) / stride + 1; }
  Index out_width() const { return (width - 1) / stride + 1; }
  Index period() const { return std::lcm(channels, Index(WIDTH)); }
  // Taps further from the middle than the image is large meet no pixel.
  Index reach() const {
    return std::min((kernel - 1) / 2, (std::max(height, width) - 1) / dilation);
  }
  Index taps() const { return 2 * reach() + 1; }
  Index padding() const { return dilation * reach(); }
};

// ---- copying pixels: `pixels` runs of `channels` numbers, with steps between them ----

enum class Change { none, relu, masked };

template <int PIECE, Change CHANGE>
void move_pieces(float* to, Index to_step, const float* from, Index from_step, const float* mask, Index pixels,
                 Index channels) {
  for (Index pixel = 0; pixel < pixels; pixel++, to += to_step, from += from_step) {
    for (Index first = 0; first < channels; first += PIECE) {
      float piece[PIECE];
      std::memcpy(piece, from + first, sizeof piece);
      if (CHANGE == Change::relu)
        for (float& value : piece) value = value < 0 ? 0 : value;
      if (CHANGE == Change::masked)
        for (int i = 0; i < PIECE; i++) piece[i] = mask[first + i] <= 0 ? 0 : piece[i];
      std::memcpy(to + first, piece, sizeof piece);
    }
    if (CHANGE == Change::masked) mask += to_step;
  }
}

template <Change CHANGE>
void move(float* to, Index to_step, const float* from, Index from_step, Index pixels, Index channels,
          const float* mask = nullptr) {
  if (to_step == channels && from_step == channels) {  // one run: in large pieces, then the rest
    Index whole = pixels * channels / 16;
    move_pieces<16, CHANGE>(to, 16, from, 16, mask, whole, 16);
    to += 16 * whole, from += 16 * whole, mask = mask ? mask + 16 * whole : nullptr;
    move_pieces<1, CHANGE>(to, 1, from, 1, mask, pixels * channels - 16 * whole, 1);
  } else if (channels % 16 == 0) {
    move_pieces<16, CHANGE>(to, to_step, from, from_step, mask, pixels, channels);
  } else if (channels % 8 == 0) {
    move_pieces<8, CHANGE>(to, to_step, from, from_step, mask, pixels, channels);
  } else if (channels % 4 == 0) {
    move_pieces<4, CHANGE>(to, to_step, from, from_step, mask, pixels, channels);
  } else {
    move_pieces<1, CHANGE>(to, to_step, from, from_step, mask, pixels, channels);
  }
}

// ---- padded planes ----

struct Planes {
  Index row, plane, image;  // numbers from one row to the next; from one member's (gradient) to the next; of an image
  Index left;               // columns of zeros before the first pixel
  std::vector<float>& numbers;
};

std::vector<float>& storage(int which) {  // kept from call to call: fresh pages cost as much as a small convolution
  thread_local std::vector<float> kept[4];
  return kept[which];
}

// The input: a row is `stride` phases of every stride-th column; column q of the padded row is in phase q % stride.
Planes input_planes(const Shape& shape, Index images) {
  Planes planes{0, 0, 0, shape.padding(), storage(0)};
  Index columns = rounded_up(shape.width + 2 * planes.left, shape.stride) + 1;
  planes.plane = columns * shape.channels + shape.period();
  planes.row = planes.plane * shape.stride;
  planes.image = planes.row * shape.height;
  planes.numbers.assign(planes.image * images, 0.0f);
  return planes;
}

template <Change CHANGE>
void fill_input(const Shape& shape, const Planes& planes, float* to, const float* image) {
  Index channels = shape.channels;
  for (Index row = 0; row < shape.height; row++, to += planes.row, image += shape.width * channels)
    for (Index phase = 0; phase < shape.stride; phase++) {
      Index first = ((phase - planes.left) % shape.stride + shape.stride) % shape.stride;
      float* place = to + phase * planes.plane + (first + planes.left) / shape.stride * channels;
      Index pixels = rounded_up(shape.width - first, shape.stride);
      move<CHANGE>(place, channels, image + first * channels, shape.stride * channels, pixels, channels);
    }
}

// The gradient of the output: each member by itself.
Planes gradient_planes(const Shape& shape, Index images) {
  Planes planes{0, 0, 0, rounded_up(shape.padding(), shape.stride) + 1, storage(1)};
  Index columns = shape.out_width() + 2 * planes.left;
  planes.row = columns * shape.channels + shape.period();
  planes.plane = planes.row * shape.out_height();
  planes.image = planes.plane * shape.members;
  planes.numbers.assign(planes.image * images, 0.0f);
  return planes;
}

void fill_gradient(const Shape& shape, const Planes& planes, float* to, const float* image) {
  Index channels = shape.channels, all = shape.members * channels;
  for (Index row = 0; row < shape.out_height(); row++, image += shape.out_width() * all)
    for (Index member = 0; member < shape.members; member++) {
      float* place = to + member * planes.plane + row * planes.row + planes.left * channels;
      move<Change::none>(place, channels, image + member * channels, all, shape.out_width(), channels);
    }
}

// ---- the taps of a gathering convolution: groups by row, each with the same number of taps ----

struct Taps {
  std::vector<Index> rows;     // of each group: the row read, less the row written times the stride
  std::vector<Index> offsets;  // of each tap: where it reads, from the first number of the row written times the stride
  std::vector<float> weights;  // of each tap: a period of numbers
  Index group = 0;             // taps in a group
};

// Repeat the weights of one member's tap over a period.
void repeat(std::vector<float>& to, const Shape& shape, const float* weight, Index member, Index down, Index right) {
  Index margin = (shape.kernel - shape.taps()) / 2, area = shape.kernel * shape.kernel;
  Index tap = (down + margin) * shape.kernel + right + margin;
  for (Index i = 0; i < shape.period(); i++)
    to.push_back(weight[(member * shape.channels + i % shape.channels) * area + tap]);
}

// Forward: all taps of one member, then all of the next; offsets are the same for each.
Taps forward_taps(const Shape& shape, const float* weight, const Planes& planes) {
  Taps taps;
  taps.group = shape.taps();
  for (Index down = 0; down < shape.taps(); down++) {
    taps.rows.push_back(down * shape.dilation - shape.padding());
    for (Index right = 0; right < shape.taps(); right++) {
      Index column = right * shape.dilation;
      Index place = column % shape.stride * planes.plane + column / shape.stride * shape.channels;
      taps.offsets.push_back(taps.rows.back() * planes.row + place);
    }
  }
  taps.weights.reserve(shape.members * taps.offsets.size() * shape.period());
  for (Index member = 0; weight && member < shape.members; member++)
    for (Index down = 0; down < shape.taps(); down++)
      for (Index right = 0; right < shape.taps(); right++) repeat(taps.weights, shape, weight, member, down, right);
  return taps;
}

// Backward, for the pixels whose row and column leave these remainders by the stride: all members' taps are summed.
Taps backward_taps(const Shape& shape, const float* weight, const Planes& planes, Index row, Index column) {
  Taps taps;
  for (Index down = shape.taps() - 1; down >= 0; down--) {
    Index row_reached = row + shape.padding() - down * shape.dilation;
    if (row_reached % shape.stride) continue;
    taps.rows.push_back(row_reached / shape.stride);
    Index before = taps.offsets.size();
    for (Index member = 0; member < shape.members; member++)
      for (Index right = 0; right < shape.taps(); right++) {
        Index reached = column + shape.padding() - right * shape.dilation;
        if (reached % shape.stride) continue;
        Index place = member * planes.plane + (reached / shape.stride + planes.left) * shape.channels;
        taps.offsets.push_back(taps.rows.back() * planes.row + place);
        repeat(taps.weights, shape, weight, member, down, right);
      }
    taps.group = taps.offsets.size() - before;
  }
  return taps;
}

// ---- gathering: a row of outputs, each the weighted sum of the numbers its taps read ----

struct Row {  // one row's work: where taps read from and weights lie, and where numbers go
  const float* from;
  const Index* offsets;
  const float* weights;
  Index taps, period, member_weights;
  float* to;
  Index to_step, to_member;  // numbers from one period's result to the next; from one member's to the next
};

template <int MEMBERS, int STEPS>
ALONE void tile(const Row& row, Index member, Index lane, Index step) {
  Vector sums[MEMBERS][STEPS] = {};
  const float* from = row.from + lane + step * row.period;
  const float* weights = row.weights + member * row.member_weights + lane;
  for (Index tap = 0; tap < row.taps; tap++, weights += row.period) {
    const float* source = from + row.offsets[tap];
    Vector weight[MEMBERS];
#pragma GCC unroll 8
    for (int m = 0; m < MEMBERS; m++) weight[m] = load(weights + m * row.member_weights);
#pragma GCC unroll 16
    for (int s = 0; s < STEPS; s++) {
      Vector value = load(source + s * row.period);
#pragma GCC unroll 8
      for (int m = 0; m < MEMBERS; m++) sums[m][s] += weight[m] * value;
    }
  }
  float* to = row.to + member * row.to_member + lane + step * row.to_step;
#pragma GCC unroll 8
  for (int m = 0; m < MEMBERS; m++)
#pragma GCC unroll 16
    for (int s = 0; s < STEPS; s++) store(to + m * row.to_member + s * row.to_step, sums[m][s]);
}

template <int MEMBERS>
void tiles(const Row& row, Index member, Index steps) {
  constexpr int MOST = REGISTERS == 32 ? 8 : 4;
  for (Index lane = 0; lane < row.period; lane += WIDTH) {
    Index step = 0;
    for (; step + MOST <= steps; step += MOST) tile<MEMBERS, MOST>(row, member, lane, step);
    if (MOST > 4 && step + 4 <= steps) tile<MEMBERS, 4>(row, member, lane, step), step += 4;
    if (step + 2 <= steps) tile<MEMBERS, 2>(row, member, lane, step), step += 2;
    if (step < steps) tile<MEMBERS, 1>(row, member, lane, step);
  }
}

void all_tiles(const Row& row, Index members, Index steps) {
  Index member = 0;
  for (; member + 2 <= members; member += 2) tiles<2>(row, member, steps);
  if (member < members) tiles<1>(row, member, steps);
}

// Read one row of planes, with the taps whose rows lie within the planes.
void read_row(Row& work, const Taps& taps, const float* planes, Index pitch, Index row, Index height) {
  Index first = 0, last = taps.rows.size();
  while (first < last && row + taps.rows[first] < 0) first++;
  while (first < last && row + taps.rows[last - 1] >= height) last--;
  work.from = planes + row * pitch;
  work.taps = (last - first) * taps.group;
  work.offsets = taps.offsets.data() + first * taps.group;
  work.weights = taps.weights.data() + first * taps.group * work.period;
}

// ---- the gradient of the weights: numbers of the gradient times numbers of the input, summed for each tap ----

struct Images {  // what `correlate` walks over: both kinds of planes, rows of the output from first to last
  const float *input, *gradient;
  Index images, input_image, gradient_image, first, last, input_row, gradient_row, gradient_plane, steps, period;
};

template <int MEMBERS, int TAPS>
ALONE void correlate(const Images& over, const Index* offsets, float* sums, Index member_sums) {
  Vector total[MEMBERS][TAPS] = {};
  for (Index image = 0; image < over.images; image++)
    for (Index row = over.first; row < over.last; row++) {
      const float* input = over.input + image * over.input_image + row * over.input_row;
      const float* gradient = over.gradient + image * over.gradient_image + row * over.gradient_row;
      for (Index step = 0; step < over.steps; step++, input += over.period, gradient += over.period) {
        Vector values[MEMBERS];
#pragma GCC unroll 8
        for (int m = 0; m < MEMBERS; m++) values[m] = load(gradient + m * over.gradient_plane);
#pragma GCC unroll 8
        for (int t = 0; t < TAPS; t++) {
          Vector read = load(input + offsets[t]);
#pragma GCC unroll 8
          for (int m = 0; m < MEMBERS; m++) total[m][t] += values[m] * read;
        }
      }
    }
#pragma GCC unroll 8
  for (int m = 0; m < MEMBERS; m++)
#pragma GCC unroll 8
    for (int t = 0; t < TAPS; t++) {
      float* sum = sums + m * member_sums + t * over.period;
      store(sum, load(sum) + total[m][t]);
    }
}

template <int MEMBERS>
void correlate_taps(const Images& over, const Index* offsets, Index taps, float* sums, Index member_sums) {
  for (; taps >= 5; taps -= 5, offsets += 5, sums += 5 * over.period)
    correlate<MEMBERS, 5>(over, offsets, sums, member_sums);
  if (taps >= 3) {
    correlate<MEMBERS, 3>(over, offsets, sums, member_sums);
    taps -= 3, offsets += 3, sums += 3 * over.period;
  }
  for (; taps > 0; taps--, offsets++, sums += over.period) correlate<MEMBERS, 1>(over, offsets, sums, member_sums);
}

// One row of taps, all members.
void correlate_members(Images over, const Index* offsets, Index taps, Index members, float* sums, Index member_sums) {
  constexpr int MOST = REGISTERS == 32 ? 4 : 2;
  for (; members >= MOST; members -= MOST, sums += MOST * member_sums, over.gradient += MOST * over.gradient_plane)
    correlate_taps<MOST>(over, offsets, taps, sums, member_sums);
  if (members >= 2) {
    correlate_taps<2>(over, offsets, taps, sums, member_sums);
    members -= 2, sums += 2 * member_sums, over.gradient += 2 * over.gradient_plane;
  }
  if (members) correlate_taps<1>(over, offsets, taps, sums, member_sums);
}

// Add to sums of [member][tap][period] what rows `begin` to `end` of the output give.
void add_weight_gradient(const Shape& shape, const Taps& taps, const Planes& input, const Planes& gradient,
                         Index images, Index begin, Index end, float* sums) {
  Index period = shape.period(), count = shape.taps(), stride = shape.stride;
  for (Index down = 0; down < count; down++) {
    Index first = rounded_up(std::max<Index>(0, -taps.rows[down]), stride);
    Index last = rounded_up(std::max<Index>(0, shape.height - taps.rows[down]), stride);
    for (Index lane = 0; lane < period; lane += WIDTH) {
      Images over{input.numbers.data() + lane, gradient.numbers.data() + gradient.left * shape.channels + lane,
                  images, input.image, gradient.image, std::max(first, begin), std::min(last, end),
                  stride * input.row, gradient.row, gradient.plane,
                  rounded_up(shape.out_width() * shape.channels, period), period};
      if (over.first < over.last)
        correlate_members(over, taps.offsets.data() + down * count, count, shape.members,
                          sums + down * count * period + lane, count * count * period);
    }
  }
}

void write_weight_gradient(const Shape& shape, const std::vector<float>& sums, float* to) {
  Index margin = (shape.kernel - shape.taps()) / 2, area = shape.kernel * shape.kernel, count = shape.taps();
  Index period = shape.period(), channels = shape.channels;
  std::fill(to, to + shape.members * channels * area, 0.0f);
  for (Index member = 0; member < shape.members; member++)
    for (Index tap = 0; tap < count * count; tap++)
      for (Index channel = 0; channel < channels; channel++) {
        const float* from = sums.data() + (member * count * count + tap) * period;
        double sum = 0;
        for (Index i = channel; i < period; i += channels) sum += from[i];
        Index place = (tap / count + margin) * shape.kernel + tap % count + margin;
        to[(member * channels + channel) * area + place] = float(sum);
      }
}

// ---- whole images ----

// Results go where they belong when a period is one pixel (`to_step` and `to_member` say how); else through `scratch`.
void forward_image(const Shape& shape, const Taps& taps, const Planes& planes, float* scratch, float* out) {
  Index channels = shape.channels, all = channels * shape.members, pixels = shape.out_width();
  Index period = shape.period(), steps = rounded_up(pixels * channels, period);
  bool straight = period == channels;
  Row work{nullptr, nullptr, nullptr, 0, period, Index(taps.offsets.size()) * period, scratch, period, steps * period};
  if (straight) work.to_step = all, work.to_member = channels;
  for (Index row = 0; row < shape.out_height(); row++, out += pixels * all) {
    read_row(work, taps, planes.numbers.data(), planes.row, row * shape.stride, shape.height);
    if (straight) work.to = out;
    all_tiles(work, shape.members, steps);
    for (Index member = 0; !straight && member < shape.members; member++)
      move<Change::none>(out + member * channels, all, scratch + member * steps * period, channels, pixels, channels);
  }
}

// `taps` holds those of every remainder of row and column by the stride, row by row.
void backward_image(const Shape& shape, const std::vector<Taps>& taps, const float* planes, Index pitch,
                    float* scratch, const float* image, float* out) {
  Index channels = shape.channels, stride = shape.stride, period = shape.period();
  for (Index row = 0; row < shape.height; row++)
    for (Index column = 0; column < std::min(stride, shape.width); column++) {
      Index pixels = rounded_up(shape.width - column, stride), first = (row * shape.width + column) * channels;
      Row work{nullptr, nullptr, nullptr, 0, period, 0, scratch, period, 0};
      read_row(work, taps[row % stride * stride + column], planes, pitch, row / stride, shape.out_height());
      all_tiles(work, 1, rounded_up(pixels * channels, period));
      if (image)
        move<Change::masked>(out + first, stride * channels, scratch, channels, pixels, channels, image + first);
      else
        move<Change::none>(out + first, stride * channels, scratch, channels, pixels, channels);
    }
}

float* scratch_row(const Shape& shape) {
  storage(2).resize(shape.members * (shape.width * shape.channels + shape.period()));
  return storage(2).data();
}

void fill(const Shape& shape, const Planes& planes, Index at, const float* image, bool relu) {
  float* to = planes.numbers.data() + at * planes.image;
  relu ? fill_input<Change::relu>(shape, planes, to, image) : fill_input<Change::none>(shape, planes, to, image);
}

}  // namespace

extern "C" void depthwise_forward(const Shape* given, const float* input, const float* weight, float* out, int relu) {
  const Shape& shape = *given;
  Planes planes = input_planes(shape, 1);
  Taps taps = forward_taps(shape, weight, planes);
  float* scratch = scratch_row(shape);
  Index image = shape.height * shape.width * shape.channels;
  Index out_image = shape.out_height() * shape.out_width() * shape.channels * shape.members;
  for (Index at = 0; at < shape.batch; at++) {
    fill(shape, planes, 0, input + at * image, relu);
    forward_image(shape, taps, planes, scratch, out + at * out_image);
  }
}

// Write the gradients of the input and of the weights; a null pointer stands for one that nobody needs.
extern "C" void depthwise_backward(const Shape* given, const float* input, const float* weight, const float* gradient,
                                   float* input_gradient, float* weight_gradient, int relu) {
  const Shape& shape = *given;
  Index image = shape.height * shape.width * shape.channels;
  Index out_image = shape.out_height() * shape.out_width() * shape.channels * shape.members;
  Index chunk = std::clamp<Index>(CHUNK / out_image, 1, shape.batch);
  Index rows = std::clamp<Index>(CHUNK * shape.out_height() / out_image, 1, shape.out_height());
  Planes gradients = gradient_planes(shape, chunk), inputs = input_planes(shape, weight_gradient ? chunk : 0);
  Taps read = forward_taps(shape, nullptr, inputs);
  std::vector<float> sums(weight_gradient ? shape.members * shape.taps() * shape.taps() * shape.period() : 0);
  std::vector<Taps> taps;
  for (Index phase = 0; input_gradient && phase < shape.stride * shape.stride; phase++)
    taps.push_back(backward_taps(shape, weight, gradients, phase / shape.stride, phase % shape.stride));
  float* scratch = scratch_row(shape);
  for (Index start = 0; start < shape.batch; start += chunk) {
    Index images = std::min(chunk, shape.batch - start);
    for (Index at = 0; at < images; at++) {
      const float* own = input + (start + at) * image;
      float* planes = gradients.numbers.data() + at * gradients.image;
      fill_gradient(shape, gradients, planes, gradient + (start + at) * out_image);
      if (weight_gradient) fill(shape, inputs, at, own, relu);
      if (input_gradient)
        backward_image(shape, taps, planes, gradients.row, scratch, relu ? own : nullptr,
                       input_gradient + (start + at) * image);
    }
    for (Index row = 0; weight_gradient && row < shape.out_height(); row += rows)
      add_weight_gradient(shape, read, inputs, gradients, images, row, std::min(row + rows, shape.out_height()),
                          sums.data());
  }
  if (weight_gradient) write_weight_gradient(shape, sums, weight_gradient);
}
