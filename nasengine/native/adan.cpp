// One step of Adan (https://arxiv.org/abs/2208.06677) over a list of tensors: each number is read and written once.
//
// The step is bound by memory from a few million weights on: eleven numbers a weight cross the bus. The loop has one
// root, one division and no branch, so that it is vectorised.

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace {

// What all tensors of a call share: the clip factor, and `Shared` of nasengine/training/adan_rule.py.
struct Shared {
    double clip;                 // what the gradients are multiplied by
    double b2, b3;
    double gain1, gain2, gain3;  // 1 - b1, and so on
    double decay;                // what the weights are multiplied by after the step
};

// What a tensor's number of steps makes of the learning rate.
struct Rates {
    double average, difference, floor;
};

constexpr int64_t PIECE = 64, AHEAD = 256, LINE = 64;  // numbers, numbers, bytes

// Ask for memory early: the processor's own foresight ends with each page, for all six tensors at once.
template <typename Number>
void fetch(void *const *tensors, int64_t from, int64_t to) {
    for (int64_t i = from; i < to; i += LINE / static_cast<int64_t>(sizeof(Number)))
        for (int tensor = 0; tensor < 6; ++tensor) __builtin_prefetch(static_cast<Number *>(tensors[tensor]) + i, 1);
}

template <typename Number>
void step(const Shared &shared, const Rates &rates, void *const *tensors, int64_t size) {
    const Number clip = shared.clip, b2 = shared.b2, b3 = shared.b3;
    const Number gain1 = shared.gain1, gain2 = shared.gain2, gain3 = shared.gain3;
    const Number decay = shared.decay;
    const Number average_rate = rates.average, difference_rate = rates.difference, floor = rates.floor;
    Number *__restrict weights = static_cast<Number *>(tensors[0]);
    const Number *__restrict gradient = static_cast<const Number *>(tensors[1]);
    Number *__restrict average = static_cast<Number *>(tensors[2]);
    Number *__restrict difference = static_cast<Number *>(tensors[3]);
    Number *__restrict square = static_cast<Number *>(tensors[4]);
    Number *__restrict previous = static_cast<Number *>(tensors[5]);
    for (int64_t from = 0; from < size; from += PIECE) {
        const int64_t to = std::min(from + PIECE, size);
        fetch<Number>(tensors, from + AHEAD, to + AHEAD);
#pragma omp simd
        for (int64_t i = from; i < to; ++i) {
            const Number now = gradient[i] * clip;
            const Number change = now - previous[i];
            const Number ahead = now + b2 * change;
            const Number first = average[i] + gain1 * (now - average[i]);
            const Number second = difference[i] + gain2 * (change - difference[i]);
            const Number third = b3 * square[i] + gain3 * ahead * ahead;
            const Number move = (average_rate * first + difference_rate * second) / (std::sqrt(third) + floor);
            weights[i] = (weights[i] - move) * decay;
            average[i] = first;
            difference[i] = second;
            square[i] = third;
            previous[i] = now;
        }
    }
}

template <typename Number>
void steps(const Shared *shared, void *const *tensors, const int64_t *sizes, const Rates *rates, int64_t count) {
    for (int64_t i = 0; i < count; ++i) step<Number>(*shared, rates[i], tensors + 6 * i, sizes[i]);
}

}  // namespace

// `tensors` holds six places for each of `count` tensors: weights, gradient, three averages, previous gradient.
extern "C" void adan_float32(
    const Shared *shared, void *const *tensors, const int64_t *sizes, const Rates *rates, int64_t count) {
    steps<float>(shared, tensors, sizes, rates, count);
}

extern "C" void adan_float64(
    const Shared *shared, void *const *tensors, const int64_t *sizes, const Rates *rates, int64_t count) {
    steps<double>(shared, tensors, sizes, rates, count);
}
