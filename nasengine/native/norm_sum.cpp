// The sum of several batch norms over channels-last float32 images: one pass for all statistics, one for the sum.
//
// An image is one run of pixels * channels numbers. It is taken in blocks that fit the nearest cache, and a block in
// `periods`: the smallest common multiple of the channels and a group of vectors, so that vectors run over any number of
// channels. Every place of a period has statistics of its own, and those of one channel are put together at the end.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <numeric>
#include <vector>

namespace {

#if defined(__AVX512F__)
constexpr int WIDTH = 16, GROUP = 8;  // GROUP: vectors summed side by side
#elif defined(__AVX__)
constexpr int WIDTH = 8, GROUP = 4;
#else
constexpr int WIDTH = 4, GROUP = 4;
#endif
typedef float Vector __attribute__((vector_size(4 * WIDTH), aligned(4), may_alias));
typedef std::ptrdiff_t Index;

constexpr Index BLOCK = 4096;           // numbers of a block: 16 KiB
constexpr Index LANES = GROUP * WIDTH;  // a period is a multiple of it

inline Vector load(const float* from) { return *reinterpret_cast<const Vector*>(from); }
inline void store(float* to, Vector value) { *reinterpret_cast<Vector*>(to) = value; }

typedef std::vector<float> Numbers;
typedef std::vector<double> Doubles;

struct Value {  // norm_sum.py fills it
  const float* numbers;
  Index step;                // numbers from one pixel to the next
  const float *weight, *bias;  // of each channel; null for one and zero
  float *gradient, *weight_gradient;  // null where nobody needs it; backward only
};

struct Size {
  Index pixels, channels, period, block;
  Size(Index pixels, Index channels) : pixels(pixels), channels(channels), period(std::lcm(channels, LANES)) {
    block = std::max<Index>(1, BLOCK / period) * period;
  }
  Index numbers() const { return pixels * channels; }
};

// A block of a value as one run: where it lies, or a copy in `room` if other numbers lie between its pixels.
const float* run(const Value& value, const Size& size, Index start, Index count, Numbers& room) {
  if (value.step == size.channels) return value.numbers + start;
  const float* from = value.numbers + start / size.channels * value.step;
  for (Index at = 0; at < count; at += size.channels, from += value.step) {
    Index channel = 0;
    for (; channel + WIDTH <= size.channels; channel += WIDTH) store(&room[at + channel], load(from + channel));
    for (; channel < size.channels; channel++) room[at + channel] = from[channel];
  }
  return room.data();
}

// Repeat a number of each channel over a period.
Numbers repeated(const Size& size, const Doubles& of_channel) {
  Numbers all(size.period);
  for (Index i = 0; i < size.period; i++) all[i] = float(of_channel[i % size.channels]);
  return all;
}

// ---- sums over a block, for each place of a period ----

// Put the sums of term(place, number's index) over the whole periods of a run into `sums`: a period of each term.
template <int TERMS, class Term>
void sum_periods(Index count, Index period, float* sums, Term term) {
  for (Index first = 0; first < period; first += LANES) {
    Vector total[TERMS][GROUP] = {};
    for (Index at = first; at + period - first <= count; at += period)
#pragma GCC unroll 8
      for (int i = 0; i < GROUP; i++) {
        Vector terms[TERMS];
        term(first + i * WIDTH, at + i * WIDTH, terms);
        for (int t = 0; t < TERMS; t++) total[t][i] += terms[t];
      }
    for (int t = 0; t < TERMS; t++)
      for (int i = 0; i < GROUP; i++) store(sums + t * period + first + i * WIDTH, total[t][i]);
  }
}

// Means and sums of squares about them, put together part by part (Chan, Golub and LeVeque, 1983).
struct Moments {
  Doubles means, squares, counts;
  explicit Moments(Index number) : means(number), squares(number), counts(number) {}

  void join(Index at, double count, double mean, double square) {
    double all = counts[at] + count, away = mean - means[at];
    means[at] += away * count / all;
    squares[at] += square + away * away * counts[at] * count / all;
    counts[at] = all;
  }

  // Join the whole periods of a block, its first one being subtracted from all: `sums` is room for two periods.
  void join_periods(const float* block, Index count, Index period, Numbers& sums) {
    double steps = count / period, before = counts[0], share = steps / (before + steps);
    sum_periods<2>(count, period, sums.data(), [&](Index place, Index at, Vector* terms) {
      terms[0] = load(block + at) - load(block + place);
      terms[1] = terms[0] * terms[0];
    });
    for (Index i = 0; i < period; i++) {
      double sum = sums[i], mean = block[i] + sum / steps, away = mean - means[i];
      means[i] += away * share;
      squares[i] += sums[period + i] - sum * sum / steps + away * away * before * share;
      counts[i] = before + steps;
    }
  }
};

// Walk over a run block by block: visit(start, count).
template <class Visit>
void blocks(const Size& size, Visit visit) {
  for (Index start = 0; start < size.numbers(); start += size.block)
    visit(start, std::min(size.block, size.numbers() - start));
}

// The mean and the biased variance of each channel.
void statistics(const Value& value, const Size& size, float* means, float* variances) {
  Index period = size.period;
  Numbers room(size.block), sums(2 * period);
  Moments places(period), channels(size.channels);
  blocks(size, [&](Index start, Index count) {
    const float* block = run(value, size, start, count, room);
    if (count >= period) places.join_periods(block, count, period, sums);
    for (Index at = count / period * period; at < count; at++) channels.join(at % size.channels, 1, block[at], 0);
  });
  for (Index i = 0; i < period && places.counts[0]; i++)
    channels.join(i % size.channels, places.counts[i], places.means[i], places.squares[i]);
  for (Index channel = 0; channel < size.channels; channel++) {
    means[channel] = float(channels.means[channel]);
    variances[channel] = float(channels.squares[channel] / size.pixels);
  }
}

// ---- writing a block: a number for each of its places, in vectors and at last one by one ----

template <class Term, class LastTerm>
void write_periods(Index count, Index period, float* to, Term term, LastTerm last_term) {
  for (Index start = 0; start < count; start += period) {
    Index place = 0, here = std::min(period, count - start);
    for (; place + WIDTH <= here; place += WIDTH) store(to + start + place, term(place, start + place));
    for (; place < here; place++) to[start + place] = last_term(place, start + place);
  }
}

// Put shift + the sum of scale * value over up to four values into a block, or add it to what is there.
template <int VALUES>
void write_sum(Index count, Index period, const float* const* values, const Numbers* scales, const float* shift,
               float* to) {
  const float *value[VALUES], *scale[VALUES];
  for (int v = 0; v < VALUES; v++) value[v] = values[v], scale[v] = scales[v].data();
  write_periods(
      count, period, to,
      [&](Index place, Index at) {
        Vector sum = shift ? load(shift + place) : load(to + at);
        for (int v = 0; v < VALUES; v++) sum += load(scale[v] + place) * load(value[v] + at);
        return sum;
      },
      [&](Index place, Index at) {
        float sum = shift ? shift[place] : to[at];
        for (int v = 0; v < VALUES; v++) sum += scale[v][place] * value[v][at];
        return sum;
      });
}

void write_sums(Index count, Index period, const float* const* values, const Numbers* scales, Index number,
                const float* shift, float* to) {
  for (; number >= 4; number -= 4, values += 4, scales += 4, shift = nullptr)
    write_sum<4>(count, period, values, scales, shift, to);
  if (number == 3) write_sum<3>(count, period, values, scales, shift, to);
  if (number == 2) write_sum<2>(count, period, values, scales, shift, to);
  if (number == 1) write_sum<1>(count, period, values, scales, shift, to);
}

// ---- the two passes backward ----

struct Sums {  // of each channel: of the gradient, and of the gradient times each value less its mean
  Doubles gradient;
  std::vector<Doubles> products;
};

// Add a block's sums over its places to those of its channels.
template <class Term, class LastTerm>
void add_sums(Index count, const Size& size, Numbers& room, Doubles& to, Term term, LastTerm last_term) {
  Index whole = count / size.period * size.period;
  if (whole) {
    sum_periods<1>(count, size.period, room.data(), term);
    for (Index place = 0, channel = 0; place < size.period; place++, channel++) {
      if (channel == size.channels) channel = 0;
      to[channel] += room[place];
    }
  }
  for (Index at = whole; at < count; at++) to[at % size.channels] += last_term(at - whole, at);
}

Sums backward_sums(const Value* values, Index number, const Size& size, const float* gradient,
                   const std::vector<Numbers>& means) {
  Sums sums{Doubles(size.channels), std::vector<Doubles>(number, Doubles(size.channels))};
  Numbers copy(size.block), room(size.period);
  blocks(size, [&](Index start, Index count) {
    const float* dy = gradient + start;
    add_sums(count, size, room, sums.gradient, [&](Index, Index at, Vector* term) { *term = load(dy + at); },
             [&](Index, Index at) { return dy[at]; });
    for (Index v = 0; v < number; v++) {
      if (!values[v].gradient && !values[v].weight_gradient) continue;
      const float *x = run(values[v], size, start, count, copy), *mean = means[v].data();
      add_sums(count, size, room, sums.products[v],
               [&](Index place, Index at, Vector* term) {
                 *term = load(dy + at) * (load(x + at) - load(mean + place));
               },
               [&](Index place, Index at) { return dy[at] * (x[at] - mean[place]); });
    }
  });
  return sums;
}

// The gradient of a value: by channel, one number times the gradient, one times the value less its mean, and one more.
struct Slopes {
  Numbers of_gradient, of_value, shift;

  Slopes(const Value& value, const Size& size, const Sums& sums, const Doubles& products, const float* variance,
         double eps) {
    Doubles one(size.channels), two(size.channels), three(size.channels);
    for (Index c = 0; c < size.channels; c++) {
      double inverse = 1 / std::sqrt(variance[c] + eps);
      one[c] = (value.weight ? value.weight[c] : 1) * inverse;
      two[c] = -one[c] * inverse * inverse * products[c] / size.pixels;
      three[c] = -one[c] * sums.gradient[c] / size.pixels;
      if (value.weight_gradient) value.weight_gradient[c] = float(products[c] * inverse);
    }
    of_gradient = repeated(size, one), of_value = repeated(size, two), shift = repeated(size, three);
  }

  void write(Index count, Index period, const float* dy, const float* x, const float* mean, float* to) const {
    const float *a = of_gradient.data(), *b = of_value.data(), *c = shift.data();
    write_periods(
        count, period, to,
        [&](Index place, Index at) {
          Vector away = load(x + at) - load(mean + place);
          return load(a + place) * load(dy + at) + load(b + place) * away + load(c + place);
        },
        [&](Index place, Index at) { return a[place] * dy[at] + b[place] * (x[at] - mean[place]) + c[place]; });
  }
};

}  // namespace

// Write the sum and, for each value, the mean and the biased variance of each channel.
extern "C" void norm_sum_forward(const Value* values, Index number, Index pixels, Index channels, double eps,
                                 float* sum, float* means, float* variances) {
  Size size(pixels, channels);
  std::vector<Numbers> scales, room(number, Numbers(size.block));
  Doubles shift(channels);
  for (Index v = 0; v < number; v++, means += channels, variances += channels) {
    statistics(values[v], size, means, variances);
    Doubles scale(channels);
    for (Index c = 0; c < channels; c++) {
      scale[c] = (values[v].weight ? values[v].weight[c] : 1) / std::sqrt(variances[c] + eps);
      shift[c] += (values[v].bias ? values[v].bias[c] : 0) - scale[c] * means[c];
    }
    scales.push_back(repeated(size, scale));
  }
  Numbers shifts = repeated(size, shift);
  std::vector<const float*> runs(number);
  blocks(size, [&](Index start, Index count) {
    for (Index v = 0; v < number; v++) runs[v] = run(values[v], size, start, count, room[v]);
    write_sums(count, size.period, runs.data(), scales.data(), number, shifts.data(), sum + start);
  });
}

// Write the gradients that are asked for, and the sum of the gradient by channel, which is that of every bias.
extern "C" void norm_sum_backward(const Value* values, Index number, Index pixels, Index channels, double eps,
                                  const float* gradient, const float* means, const float* variances,
                                  float* bias_gradient) {
  Size size(pixels, channels);
  std::vector<Numbers> places;
  for (Index v = 0; v < number; v++)
    places.push_back(repeated(size, Doubles(means + v * channels, means + (v + 1) * channels)));
  Sums sums = backward_sums(values, number, size, gradient, places);
  std::copy(sums.gradient.begin(), sums.gradient.end(), bias_gradient);
  std::vector<Slopes> slopes;
  for (Index v = 0; v < number; v++)
    slopes.emplace_back(values[v], size, sums, sums.products[v], variances + v * channels, eps);
  Numbers copy(size.block);
  blocks(size, [&](Index start, Index count) {
    for (Index v = 0; v < number; v++)
      if (values[v].gradient)
        slopes[v].write(count, size.period, gradient + start, run(values[v], size, start, count, copy),
                        places[v].data(), values[v].gradient + start);
  });
}
