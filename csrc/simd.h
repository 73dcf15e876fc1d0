// Vectors of the instruction set that this translation unit is compiled for.
//
// Everything that is compiled more than once lives in namespace STRIATE_ISA and uses no templates
// of the standard library: the linker keeps one copy of those, which might then need instructions
// that the processor does not have.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace striate::STRIATE_ISA {

// kAccumulators leaves registers for weights and pixels.
#if defined(__AVX512F__)
constexpr int kLanes = 16;
constexpr int kAccumulators = 28;
#elif defined(__AVX2__)
constexpr int kLanes = 8;
constexpr int kAccumulators = 12;
#elif defined(__aarch64__)
constexpr int kLanes = 4;
constexpr int kAccumulators = 24;
#else
constexpr int kLanes = 4;
constexpr int kAccumulators = 12;
#endif

typedef float Vec __attribute__((vector_size(4 * kLanes)));
typedef int32_t IntVec __attribute__((vector_size(4 * kLanes)));
typedef uint8_t ByteVec __attribute__((vector_size(kLanes)));

#define STRIATE_INLINE inline __attribute__((always_inline))

STRIATE_INLINE int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
STRIATE_INLINE int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }
// The smallest multiple of the vector length that holds n.
STRIATE_INLINE int64_t whole_vectors(int64_t n) { return (n + kLanes - 1) / kLanes * kLanes; }

// The numbers of all lanes, to be unpacked.
template <int... lane>
struct LaneNumbers {};
#if defined(__AVX512F__)
typedef LaneNumbers<0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15> AllLanes;
#elif defined(__AVX2__)
typedef LaneNumbers<0, 1, 2, 3, 4, 5, 6, 7> AllLanes;
#else
typedef LaneNumbers<0, 1, 2, 3> AllLanes;
#endif

STRIATE_INLINE Vec load(const float* from) {
  Vec v;
  memcpy(&v, from, sizeof v);
  return v;
}

STRIATE_INLINE void store(float* to, Vec v) { memcpy(to, &v, sizeof v); }

// GCC 12 converts between vectors of bytes and of integers lane by lane: intrinsics where it hurts.
#if defined(__AVX512F__)

STRIATE_INLINE IntVec load_bytes(const uint8_t* from) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  return reinterpret_cast<IntVec>(_mm512_maskz_cvtepu8_epi32(0xffff, bytes));
}
STRIATE_INLINE void store_bytes(uint8_t* to, IntVec v) {
  _mm512_mask_cvtepi32_storeu_epi8(to, 0xffff, reinterpret_cast<__m512i>(v));
}

#elif defined(__AVX2__)

STRIATE_INLINE IntVec load_bytes(const uint8_t* from) {
  const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(from));
  return reinterpret_cast<IntVec>(_mm256_cvtepu8_epi32(bytes));
}
STRIATE_INLINE void store_bytes(uint8_t* to, IntVec v) {
  const __m256i wide = reinterpret_cast<__m256i>(v);
  const __m128i words =
      _mm_packus_epi32(_mm256_castsi256_si128(wide), _mm256_extracti128_si256(wide, 1));
  _mm_storel_epi64(reinterpret_cast<__m128i*>(to), _mm_packus_epi16(words, words));
}

#else

STRIATE_INLINE IntVec load_bytes(const uint8_t* from) {
  ByteVec bytes;
  memcpy(&bytes, from, sizeof bytes);
  return __builtin_convertvector(bytes, IntVec);
}
STRIATE_INLINE void store_bytes(uint8_t* to, IntVec v) {
  const ByteVec bytes = __builtin_convertvector(v, ByteVec);
  memcpy(to, &bytes, sizeof bytes);
}

#endif

// The first n < kLanes lanes; nothing beyond them is read or written.
#if defined(__AVX512F__)

STRIATE_INLINE __mmask16 first(int64_t n) { return static_cast<__mmask16>((1u << n) - 1u); }
STRIATE_INLINE Vec load_first(const float* from, int64_t n) {
  return reinterpret_cast<Vec>(_mm512_maskz_loadu_ps(first(n), from));
}
STRIATE_INLINE void store_first(float* to, Vec v, int64_t n) {
  _mm512_mask_storeu_ps(to, first(n), reinterpret_cast<__m512>(v));
}
STRIATE_INLINE IntVec load_bytes_first(const uint8_t* from, int64_t n) {
  const __m128i bytes = _mm_maskz_loadu_epi8(first(n), from);
  return reinterpret_cast<IntVec>(_mm512_maskz_cvtepu8_epi32(first(n), bytes));
}
STRIATE_INLINE void store_bytes_first(uint8_t* to, IntVec v, int64_t n) {
  _mm512_mask_cvtepi32_storeu_epi8(to, first(n), reinterpret_cast<__m512i>(v));
}

#else

#if defined(__AVX2__)
STRIATE_INLINE __m256i first(int64_t n) {
  const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)), lanes);
}
STRIATE_INLINE Vec load_first(const float* from, int64_t n) {
  return reinterpret_cast<Vec>(_mm256_maskload_ps(from, first(n)));
}
STRIATE_INLINE void store_first(float* to, Vec v, int64_t n) {
  _mm256_maskstore_ps(to, first(n), reinterpret_cast<__m256>(v));
}
#else
STRIATE_INLINE Vec load_first(const float* from, int64_t n) {
  Vec v = {};
  for (int64_t i = 0; i < n; ++i) v[i] = from[i];
  return v;
}
STRIATE_INLINE void store_first(float* to, Vec v, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = v[i];
}
#endif

#if defined(__AVX2__)
// Bytes that overlap instead of a loop.
STRIATE_INLINE IntVec load_bytes_first(const uint8_t* from, int64_t n) {
  uint64_t bytes = 0;
  if (n >= 4) {
    uint32_t low, high;
    memcpy(&low, from, 4);
    memcpy(&high, from + n - 4, 4);
    bytes = low | static_cast<uint64_t>(high) << (8 * (n - 4));
  } else if (n > 0) {
    bytes = from[0] | static_cast<uint64_t>(from[n / 2]) << (8 * (n / 2)) |
            static_cast<uint64_t>(from[n - 1]) << (8 * (n - 1));
  }
  const __m128i wide = _mm_cvtsi64_si128(static_cast<int64_t>(bytes));
  return reinterpret_cast<IntVec>(_mm256_cvtepu8_epi32(wide));
}
STRIATE_INLINE void store_bytes_first(uint8_t* to, IntVec v, int64_t n) {
  uint8_t bytes[8];
  store_bytes(bytes, v);
  if (n >= 4) {
    memcpy(to + n - 4, bytes + n - 4, 4);
    memcpy(to, bytes, 4);
  } else if (n > 0) {
    to[n / 2] = bytes[n / 2];
    to[n - 1] = bytes[n - 1];
    to[0] = bytes[0];
  }
}
#else
STRIATE_INLINE IntVec load_bytes_first(const uint8_t* from, int64_t n) {
  IntVec v = {};
  for (int64_t i = 0; i < n; ++i) v[i] = from[i];
  return v;
}
STRIATE_INLINE void store_bytes_first(uint8_t* to, IntVec v, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = static_cast<uint8_t>(v[i]);
}
#endif

#endif

// n lanes, or all of them if there are more.
STRIATE_INLINE Vec load_up_to(const float* from, int64_t n) {
  return n >= kLanes ? load(from) : load_first(from, n);
}
STRIATE_INLINE void store_up_to(float* to, Vec v, int64_t n) {
  if (n >= kLanes) {
    store(to, v);
  } else {
    store_first(to, v, n);
  }
}
STRIATE_INLINE IntVec load_bytes_up_to(const uint8_t* from, int64_t n) {
  return n >= kLanes ? load_bytes(from) : load_bytes_first(from, n);
}
STRIATE_INLINE void store_bytes_up_to(uint8_t* to, IntVec v, int64_t n) {
  if (n >= kLanes) {
    store_bytes(to, v);
  } else {
    store_bytes_first(to, v, n);
  }
}

// The first n lanes, for loads in a loop: what is found out about n once.
#if defined(__AVX512F__)

class FirstLanes {
 public:
  explicit FirstLanes(int64_t n) : mask_(n >= kLanes ? __mmask16{0xffff} : first(n)) {}
  STRIATE_INLINE Vec load(const float* from) const {
    return reinterpret_cast<Vec>(_mm512_maskz_loadu_ps(mask_, from));
  }
  STRIATE_INLINE IntVec load_bytes(const uint8_t* from) const {
    return reinterpret_cast<IntVec>(
        _mm512_maskz_cvtepu8_epi32(0xffff, _mm_maskz_loadu_epi8(mask_, from)));
  }

 private:
  const __mmask16 mask_;
};

#else

class FirstLanes {
 public:
  explicit FirstLanes(int64_t n) : n_(n) {}
  STRIATE_INLINE Vec load(const float* from) const { return load_up_to(from, n_); }
  STRIATE_INLINE IntVec load_bytes(const uint8_t* from) const {
    return load_bytes_up_to(from, n_);
  }

 private:
  const int64_t n_;
};

#endif

// A vector as a table of floats: lane i of `permute` is lane index[i] % kLanes of the table, that of
// `permute_four` float index[i] % 4 of the table's half that i is in (AVX2 does it in half the time).
// `halves` puts the first n <= kLanes / 2 floats of two rows into the halves of a table, and
// `load_four` the same four into both.
#if defined(__AVX512F__)

constexpr bool kPermutes = true;
STRIATE_INLINE Vec permute(Vec table, IntVec index) {
  return reinterpret_cast<Vec>(_mm512_maskz_permutexvar_ps(
      0xffff, reinterpret_cast<__m512i>(index), reinterpret_cast<__m512>(table)));
}
STRIATE_INLINE IntVec permute(IntVec table, IntVec index) {
  return reinterpret_cast<IntVec>(_mm512_maskz_permutexvar_epi32(
      0xffff, reinterpret_cast<__m512i>(index), reinterpret_cast<__m512i>(table)));
}
STRIATE_INLINE Vec halves(const float* low, const float* high, int64_t n) {
  const __mmask8 mask = static_cast<__mmask8>((1u << n) - 1u);
  const __m512 both = _mm512_maskz_broadcast_f32x8(0xffff, _mm256_maskz_loadu_ps(mask, low));
  return reinterpret_cast<Vec>(
      _mm512_mask_broadcast_f32x8(both, 0xff00, _mm256_maskz_loadu_ps(mask, high)));
}

#elif defined(__AVX2__)

constexpr bool kPermutes = true;
STRIATE_INLINE Vec permute(Vec table, IntVec index) {
  return reinterpret_cast<Vec>(_mm256_permutevar8x32_ps(reinterpret_cast<__m256>(table),
                                                        reinterpret_cast<__m256i>(index)));
}
STRIATE_INLINE IntVec permute(IntVec table, IntVec index) {
  return reinterpret_cast<IntVec>(_mm256_permutevar8x32_epi32(
      reinterpret_cast<__m256i>(table), reinterpret_cast<__m256i>(index)));
}
STRIATE_INLINE Vec halves(const float* low, const float* high, int64_t n) {
  const __m128i lanes = _mm_setr_epi32(0, 1, 2, 3);
  const __m128i mask = _mm_cmpgt_epi32(_mm_set1_epi32(static_cast<int>(n)), lanes);
  return reinterpret_cast<Vec>(
      _mm256_set_m128(_mm_maskload_ps(high, mask), _mm_maskload_ps(low, mask)));
}

#else

constexpr bool kPermutes = false;
STRIATE_INLINE Vec permute(Vec table, IntVec) { return table; }
STRIATE_INLINE IntVec permute(IntVec table, IntVec) { return table; }
STRIATE_INLINE Vec halves(const float*, const float*, int64_t) { return Vec{}; }

#endif

#if defined(__AVX2__) && !defined(__AVX512F__)

STRIATE_INLINE Vec permute_four(Vec table, IntVec index) {
  return reinterpret_cast<Vec>(_mm256_permutevar_ps(reinterpret_cast<__m256>(table),
                                                    reinterpret_cast<__m256i>(index)));
}
STRIATE_INLINE Vec load_four(const float* from) {
  return reinterpret_cast<Vec>(_mm256_broadcast_ps(reinterpret_cast<const __m128*>(from)));
}

#else

STRIATE_INLINE Vec permute_four(Vec table, IntVec) { return table; }
STRIATE_INLINE Vec load_four(const float*) { return Vec{}; }

#endif

// Lanes of a comparison, and values chosen by them.
#if defined(__AVX512F__)

typedef __mmask16 Lanes;
STRIATE_INLINE __m512 raw(Vec v) { return reinterpret_cast<__m512>(v); }
STRIATE_INLINE __m512i raw(IntVec v) { return reinterpret_cast<__m512i>(v); }
// a > b, or a is NaN and b is not.
STRIATE_INLINE Lanes beats(Vec a, Vec b) {
  const Lanes number = _mm512_cmp_ps_mask(raw(b), raw(b), _CMP_ORD_Q);
  return _mm512_mask_cmp_ps_mask(number, raw(a), raw(b), _CMP_NLE_UQ);
}
STRIATE_INLINE Lanes number(Vec a) { return _mm512_cmp_ps_mask(raw(a), raw(a), _CMP_ORD_Q); }
STRIATE_INLINE Lanes at_most_zero(Vec a) {
  return _mm512_cmp_ps_mask(raw(a), _mm512_setzero_ps(), _CMP_LE_OQ);
}
STRIATE_INLINE Lanes above(Vec a, Vec b) {
  return _mm512_cmp_ps_mask(raw(a), raw(b), _CMP_GT_OQ);
}
STRIATE_INLINE Lanes same(Vec a, Vec b) {
  return _mm512_cmp_ps_mask(raw(a), raw(b), _CMP_EQ_OQ);
}
STRIATE_INLINE Lanes unordered(Vec a, Vec b) {
  return _mm512_cmp_ps_mask(raw(a), raw(b), _CMP_UNORD_Q);
}
STRIATE_INLINE Lanes equal(IntVec a, int32_t b) {
  return _mm512_cmpeq_epi32_mask(raw(a), _mm512_set1_epi32(b));
}
STRIATE_INLINE Lanes has_bit(IntVec a, int32_t bit) {
  return _mm512_test_epi32_mask(raw(a), _mm512_set1_epi32(bit));
}
STRIATE_INLINE Vec choose(Lanes where, Vec yes, Vec no) {
  return reinterpret_cast<Vec>(_mm512_mask_blend_ps(where, raw(no), raw(yes)));
}
STRIATE_INLINE IntVec choose(Lanes where, IntVec yes, IntVec no) {
  return reinterpret_cast<IntVec>(_mm512_mask_blend_epi32(where, raw(no), raw(yes)));
}

#else

typedef IntVec Lanes;
STRIATE_INLINE Lanes beats(Vec a, Vec b) { return ~(a <= b) & (b == b); }
STRIATE_INLINE Lanes number(Vec a) { return a == a; }
STRIATE_INLINE Lanes at_most_zero(Vec a) { return a <= 0.0f; }
STRIATE_INLINE Lanes above(Vec a, Vec b) { return a > b; }
STRIATE_INLINE Lanes same(Vec a, Vec b) { return a == b; }
#if defined(__AVX2__)
STRIATE_INLINE Lanes unordered(Vec a, Vec b) {
  return reinterpret_cast<Lanes>(_mm256_cmp_ps(reinterpret_cast<__m256>(a),
                                               reinterpret_cast<__m256>(b), _CMP_UNORD_Q));
}
#else
STRIATE_INLINE Lanes unordered(Vec a, Vec b) { return (a != a) | (b != b); }
#endif
STRIATE_INLINE Lanes equal(IntVec a, int32_t b) { return a == b; }
STRIATE_INLINE Lanes has_bit(IntVec a, int32_t bit) { return (a & bit) != 0; }
STRIATE_INLINE Vec choose(Lanes where, Vec yes, Vec no) { return where ? yes : no; }
STRIATE_INLINE IntVec choose(Lanes where, IntVec yes, IntVec no) { return where ? yes : no; }

#endif

STRIATE_INLINE IntVec everywhere(int32_t value) { return IntVec{} + value; }

// NaN in some lanes, and which of four the first that is meant is: the fourth if none of three.
#if defined(__AVX512F__)
STRIATE_INLINE Vec nan_where(Lanes lanes, Vec v) {
  return choose(lanes, reinterpret_cast<Vec>(everywhere(-1)), v);
}
STRIATE_INLINE IntVec index_of_first(Lanes a, Lanes b, Lanes c) {
  return choose(a, IntVec{}, choose(b, everywhere(1), choose(c, everywhere(2), everywhere(3))));
}
#else
// Lanes are all ones, -1 and NaN, or all zeros: this takes other units than those that compare.
STRIATE_INLINE Vec nan_where(Lanes lanes, Vec v) {
  return reinterpret_cast<Vec>(lanes | reinterpret_cast<IntVec>(v));
}
STRIATE_INLINE IntVec index_of_first(Lanes a, Lanes b, Lanes c) {
  return ~a & (1 + (~b & (2 + c)));
}
#endif

// a where a > b, else b: b, too, where one of them is NaN.
#if defined(__AVX512F__)
STRIATE_INLINE Vec larger(Vec a, Vec b) {
  return reinterpret_cast<Vec>(_mm512_maskz_max_ps(0xffff, raw(a), raw(b)));
}
#elif defined(__AVX2__)
STRIATE_INLINE Vec larger(Vec a, Vec b) {
  return reinterpret_cast<Vec>(
      _mm256_max_ps(reinterpret_cast<__m256>(a), reinterpret_cast<__m256>(b)));
}
#else
STRIATE_INLINE Vec larger(Vec a, Vec b) { return a > b ? a : b; }
#endif

// Have `v` computed here and kept in a register: compilers move work on it behind what follows and
// then have no registers for what it is made of.
STRIATE_INLINE void settle(Vec& v) {
#if defined(__x86_64__)
  asm("" : "+v"(v));
#elif defined(__aarch64__)
  asm("" : "+w"(v));
#else
  (void)v;
#endif
}

// Have a pointer in a register: a vector that is loaded from pointers just stored has to wait.
STRIATE_INLINE void settle(const float*& pointer) { asm("" : "+r"(pointer)); }

}  // namespace striate::STRIATE_ISA
