/* The block algorithm on a GPU: the steps of reference.py, one block of words by one block of threads.

Names: a *block* is BLOCK_CENTRES consecutive kept words with their contexts and shared negatives, as in blocks.py;
*threads* are CUDA's. cuda_layout.py holds the Python side of everything below: constants, sizes, arguments.

Compile-time constants, all given with -D:
    BLOCK_CENTRES     centres of a block; 32, the bits of a mask
    MAX_SCORE         scores are clipped to ± this
    DIM               floats of a row of both matrices in memory: D padded with zeros to a multiple of 4
    SLICES            parts in which a row is staged in shared memory, 1 where the rows of a block fit
    WINDOW            words on each side of a centre
    SHARED_NEGATIVES  N, a multiple of 8
    IS_SKIPGRAM       1 or 0 (CBOW)
    TRAIN_THREADS     threads of train_blocks, a multiple of 32
    SHARED_BYTES      dynamic shared memory of train_blocks, checked against the struct Shared

Kernels. In device memory lie the corpus, its distributions, both matrices, the room for kept words, and the totals; all
arrays are C-contiguous, the matrices aligned to 16 bytes. A launch takes the corpus positions start … stop, cut into
spans of span_words (the last may be shorter), as blocks.py cuts them; two launches train them, with nothing between:

    draw_spans<<<spans, any multiple of 32 up to 1024, DRAW_SHARED_BYTES>>>     one block of threads for each span
         0  const int *word_ids                (N,) int32, the corpus
         1  const long long *sentence_offsets  (S + 1,) int64
         2  int sentences                      S
         3  const float *keep_probability      (V,) float32
         4  unsigned long long seed
         5  unsigned int epoch
         6  long long start
         7  long long stop
         8  int span_words
         9  int room                           words that a row of kept_… holds
        10  int *kept_word_ids                 (spans, room) int32; out
        11  int *kept_offsets                  (spans, room) int32, corpus position - start; out
        12  int *kept_sentences                (spans, room) int32; out
        13  int *span_bounds                   (spans, 3) int32: first, last, count; out

    train_blocks<<<blocks in flight, TRAIN_THREADS, SHARED_BYTES>>>
         0  float *input_vectors               (V, DIM) float32; in and out
         1  float *output_vectors              (V, DIM) float32; in and out
         2  const int *kept_word_ids           as draw_spans left them, with the three that follow
         3  const int *kept_offsets
         4  const int *kept_sentences
         5  const int *span_bounds
         6  int spans
         7  int room
         8  const float *own_share             (V,) float32, the alias table
         9  const int *alias                   (V,) int32
        10  int vocabulary_size                V
        11  unsigned long long seed
        12  unsigned int epoch
        13  long long start
        14  long long stop
        15  int span_words
        16  double first_rate                  the learning rate at start; 0 at both: the loss is measured,
        17  double last_rate                   and at stop           and nothing is added
        18  float share                        K / N
        19  int shrink_window                  1 or 0
        20  int partial_windows                1 or 0
        21  int is_classic                     1 or 0; CBOW only
        22  double *totals                     (2,) float64: the loss in nats and the positive pairs are added to it

As many blocks are in flight as train_blocks has blocks of threads. Their steps are not ordered (Hogwild): a row is read
once, from the second-level cache, and its whole gradient is added once, by atomics. */

namespace {

constexpr int LANES = 32, QUAD = 4, TILE = 4, TILE_LANES = 8, NO_WORD = -1;
constexpr unsigned int EVERY_LANE = 0xffffffffu;
constexpr int WARPS = TRAIN_THREADS / LANES;
constexpr int REACHED = BLOCK_CENTRES + 2 * WINDOW;                        // kept words around a block, itself included
constexpr int CONTEXTS = (REACHED + TILE - 1) / TILE * TILE;
constexpr int OUTPUTS = BLOCK_CENTRES + SHARED_NEGATIVES;
constexpr int ROW_QUADS = DIM / QUAD;
constexpr int SLICE_QUADS = (ROW_QUADS + SLICES - 1) / SLICES;
constexpr int CENTRE_TILES = BLOCK_CENTRES / TILE, NEGATIVE_TILES = SHARED_NEGATIVES / TILE;

using Quads = float4[SLICE_QUADS];                                          // a slice of a row

enum Purpose : unsigned int { SUBSAMPLING = 0, WINDOWS = 1, NEGATIVES = 2 };     // as in philox.py

/* A block of words in shared memory. Context p is the kept word p - WINDOW after the first centre; centre b is context
b + WINDOW. A place without a word has the id NO_WORD and a row of zeros. */
struct Shared {
    Quads x[CONTEXTS];                          // input vectors of the contexts; in CBOW at the end the gradients of h
    Quads y[OUTPUTS];                           // output vectors of the centres, then of the negatives
#if IS_SKIPGRAM
    float errors[OUTPUTS][CONTEXTS];            // scores, then -rate * weight * (sigmoid(score) - label)
#else
    Quads h[BLOCK_CENTRES];                     // means of the windows
    float errors[SHARED_NEGATIVES][BLOCK_CENTRES];
#endif
    float centre_errors[BLOCK_CENTRES];         // CBOW: of each mean with its centre
    float window_share[BLOCK_CENTRES];          // CBOW: 1 / words in the window, 0 where there is none
    int reach[BLOCK_CENTRES], left[BLOCK_CENTRES], right[BLOCK_CENTRES];
    int context_ids[CONTEXTS], sentences[CONTEXTS], output_ids[OUTPUTS];
    unsigned int pairs[CONTEXTS];               // bit b: the context lies in the window of centre b
    unsigned int same[SHARED_NEGATIVES];        // bit b: the negative equals centre b
};

static_assert(BLOCK_CENTRES == LANES, "a centre for each lane, a bit for each centre");
static_assert(TRAIN_THREADS % LANES == 0, "whole warps");
static_assert(DIM % QUAD == 0 && SHARED_NEGATIVES % TILE == 0, "whole float4 and tiles");
static_assert((SLICES - 1) * SLICE_QUADS < ROW_QUADS, "no slice is empty");
static_assert(sizeof(Shared) == SHARED_BYTES, "cuda_layout.py has another layout");

/* The kept words of a span, and those of the same sentences around it. */
struct Span {
    const int *word_ids, *offsets, *sentences;
    int first, last, count;
};

struct Draws {
    unsigned long long seed;
    unsigned int epoch;
    const float *own_share;
    const int *alias;
    unsigned int vocabulary_size;
    bool shrink_window, partial_windows;
};

/* Return the four words of philox.draw_words (Philox4x32-10). */
__device__ uint4 draw_words(
    unsigned long long seed, unsigned int epoch, long long position, Purpose purpose, unsigned int draw
) {
    unsigned int c0 = (unsigned int)position, c1 = (unsigned int)(position >> 32), c2 = epoch;
    unsigned int c3 = draw << 8 | purpose;
    unsigned int k0 = (unsigned int)seed, k1 = (unsigned int)(seed >> 32);
#pragma unroll
    for (int round = 0; round < 10; round++) {
        const unsigned int high_0 = __umulhi(0xD2511F53u, c0), low_0 = 0xD2511F53u * c0;
        const unsigned int high_1 = __umulhi(0xCD9E8D57u, c2), low_1 = 0xCD9E8D57u * c2;
        c0 = high_1 ^ c1 ^ k0, c1 = low_1, c2 = high_0 ^ c3 ^ k1, c3 = low_0;
        k0 += 0x9E3779B9u, k1 += 0xBB67AE85u;
    }
    return make_uint4(c0, c1, c2, c3);
}

__device__ float to_unit_interval(unsigned int word) { return (float)(word >> 8) * (1.0f / 16777216.0f); }

/* Return a word id; see NegativeTable.pick. */
__device__ int pick(const Draws &draws, unsigned int cell_word, unsigned int share_word) {
    const int cell = (int)__umulhi(cell_word, draws.vocabulary_size);
    return to_unit_interval(share_word) < __ldg(draws.own_share + cell) ? cell : __ldg(draws.alias + cell);
}

__device__ float4 zero() { return make_float4(0.0f, 0.0f, 0.0f, 0.0f); }

__device__ float dot(float4 a, float4 b) { return a.x * b.x + a.y * b.y + a.z * b.z + a.w * b.w; }

__device__ void add_scaled(float4 &sum, float scale, float4 row) {
    sum.x += scale * row.x, sum.y += scale * row.y, sum.z += scale * row.z, sum.w += scale * row.w;
}

/* Add to a row of a matrix; no other thread's sum is lost. */
__device__ void add_to_row(float *matrix, int word_id, int quad, float4 sum) {
    if (word_id == NO_WORD || quad >= ROW_QUADS) return;
    float *place = matrix + (size_t)word_id * DIM + QUAD * quad;
#if __CUDA_ARCH__ >= 900
    atomicAdd(reinterpret_cast<float4 *>(place), sum);
#else
    atomicAdd(place, sum.x), atomicAdd(place + 1, sum.y), atomicAdd(place + 2, sum.z), atomicAdd(place + 3, sum.w);
#endif
}

/* Copy a slice of rows to shared memory; around the first-level cache, which does not see the sums of others. */
__device__ void stage_rows(const float *matrix, const int *word_ids, int rows, int slice, Quads *staged) {
#pragma unroll 4
    for (int item = threadIdx.x; item < rows * SLICE_QUADS; item += TRAIN_THREADS) {
        const int row = item / SLICE_QUADS, word_id = word_ids[row], quad = slice * SLICE_QUADS + item % SLICE_QUADS;
        const bool is_there = word_id != NO_WORD && quad < ROW_QUADS;
        const float4 *from = reinterpret_cast<const float4 *>(matrix + (size_t)word_id * DIM) + quad;
        staged[row][item % SLICE_QUADS] = is_there ? __ldcg(from) : zero();
    }
}

/* Fill the ids of the block that begins at kept word `begin`, its sentences, reaches and negatives. */
__device__ void read_block(const Draws &draws, const Span &span, int begin, long long position, Shared &shared) {
    const int end = min(begin + BLOCK_CENTRES, span.last), high = min(end + WINDOW, span.count);
    for (int p = threadIdx.x; p < CONTEXTS; p += TRAIN_THREADS) {
        const int word = begin - WINDOW + p;
        const bool is_there = word >= 0 && word < high;
        shared.context_ids[p] = is_there ? span.word_ids[word] : NO_WORD;
        shared.sentences[p] = is_there ? span.sentences[word] : NO_WORD;
    }
    for (int i = threadIdx.x; i < BLOCK_CENTRES + SHARED_NEGATIVES / 2; i += TRAIN_THREADS) {
        const int draw = i - BLOCK_CENTRES;
        if (draw >= 0) {
            const uint4 words = draw_words(draws.seed, draws.epoch, position, NEGATIVES, draw);
            shared.output_ids[BLOCK_CENTRES + 2 * draw] = pick(draws, words.x, words.y);
            shared.output_ids[BLOCK_CENTRES + 2 * draw + 1] = pick(draws, words.z, words.w);
        } else {
            const bool is_there = begin + i < end;
            const long long place = is_there ? position - span.offsets[begin] + span.offsets[begin + i] : 0;
            const unsigned int word = draw_words(draws.seed, draws.epoch, place, WINDOWS, 0).x;
            shared.output_ids[i] = is_there ? span.word_ids[begin + i] : NO_WORD;
            shared.reach[i] = draws.shrink_window ? 1 + (int)__umulhi(word, WINDOW) : WINDOW;
        }
    }
}

/* Fill pairs, same and each window's bounds and share: a centre for each lane, in every warp the same. */
__device__ void set_windows(const Draws &draws, Shared &shared) {
    const int b = threadIdx.x % LANES, warp = threadIdx.x / LANES, centre = b + WINDOW;
    const int sentence = shared.sentences[centre], reach = shared.output_ids[b] == NO_WORD ? 0 : shared.reach[b];
    int left = 0, right = 0;
    while (left < reach && shared.sentences[centre - left - 1] == sentence) left++;
    while (right < reach && shared.sentences[centre + right + 1] == sentence) right++;
    if (!draws.partial_windows && (left < reach || right < reach)) left = right = 0;
    for (int p = warp; p < CONTEXTS; p += WARPS) {
        const int distance = p - centre;
        const unsigned int mask = __ballot_sync(EVERY_LANE, distance != 0 && distance >= -left && distance <= right);
        if (b == 0) shared.pairs[p] = mask;
    }
    for (int n = warp; n < SHARED_NEGATIVES; n += WARPS) {
        const bool is_same = shared.output_ids[b] == shared.output_ids[BLOCK_CENTRES + n];
        const unsigned int mask = __ballot_sync(EVERY_LANE, is_same);
        if (b == 0) shared.same[n] = mask;
    }
    if (warp == 0) {
        shared.left[b] = left, shared.right[b] = right;
        shared.window_share[b] = left + right > 0 ? 1.0f / (float)(left + right) : 0.0f;
    }
}

/* Halve the 2 * HALF sums: a lane keeps one half and its partner the other, each given what the other had of it. */
template <int HALF> __device__ void fold(float (&sums)[TILE * TILE]) {
    const bool is_upper = threadIdx.x & HALF / 2;
#pragma unroll
    for (int k = 0; k < HALF; k++) {
        const float given = is_upper ? sums[k] : sums[k + HALF];
        sums[k] = (is_upper ? sums[k + HALF] : sums[k]) + __shfl_xor_sync(EVERY_LANE, given, HALF / 2);
    }
}

/* Return two of the 4 x 4 products of rows a and rows b, by eight lanes together: lane l has those of row l / 2 of a
with rows 2 (l % 2) and 2 (l % 2) + 1 of b. All lanes of a warp take part. */
__device__ float2 tile_products(const Quads *a, const Quads *b) {
    const int lane = threadIdx.x % TILE_LANES;
    float sums[TILE * TILE] = {};
    for (int quad = lane; quad < SLICE_QUADS; quad += TILE_LANES) {
        float4 columns[TILE];
#pragma unroll
        for (int j = 0; j < TILE; j++) columns[j] = b[j][quad];
#pragma unroll
        for (int i = 0; i < TILE; i++) {
            const float4 row = a[i][quad];
#pragma unroll
            for (int j = 0; j < TILE; j++) sums[TILE * i + j] += dot(row, columns[j]);
        }
    }
    fold<8>(sums), fold<4>(sums), fold<2>(sums);
    return make_float2(sums[0], sums[1]);
}

/* Return -rate * dL/dscore of one score, and add its loss. NaN stays NaN, so that a divergence is seen. */
__device__ float error_of(float score, float weight, bool is_positive, float rate, float &loss) {
    score = score > MAX_SCORE ? MAX_SCORE : score < -MAX_SCORE ? -MAX_SCORE : score;
    const float e = expf(-score), sigmoid = 1.0f / (1.0f + e);
    loss += weight * (is_positive ? log1pf(e) : score + log1pf(e));
    return rate * weight * (is_positive ? e * sigmoid : -sigmoid);
}

/* sums[i] += the errors of outputs begin ... end with context i of a quad, times their rows. */
__device__ void sum_over_outputs(
    const float *errors, int stride, const Quads *rows, int begin, int end, int quad, float4 (&sums)[TILE]
) {
#pragma unroll 4
    for (int o = begin; o < end; o++) {
        const float4 weights = *reinterpret_cast<const float4 *>(errors + o * stride), row = rows[o][quad];
        add_scaled(sums[0], weights.x, row), add_scaled(sums[1], weights.y, row);
        add_scaled(sums[2], weights.z, row), add_scaled(sums[3], weights.w, row);
    }
}

/* sums[i] += the errors of output i with contexts begin ... end, whole quads, times their rows. */
__device__ void sum_over_contexts(
    const float *errors, int stride, const Quads *rows, int begin, int end, int quad, float4 (&sums)[TILE]
) {
    for (int p = begin; p < end; p += QUAD) {
#pragma unroll
        for (int i = 0; i < TILE; i++) {
            const float4 weights = *reinterpret_cast<const float4 *>(errors + i * stride + p);
            add_scaled(sums[i], weights.x, rows[p][quad]), add_scaled(sums[i], weights.y, rows[p + 1][quad]);
            add_scaled(sums[i], weights.z, rows[p + 2][quad]), add_scaled(sums[i], weights.w, rows[p + 3][quad]);
        }
    }
}

#if IS_SKIPGRAM

constexpr int BAND_TILES = (TILE - 1 + 2 * WINDOW) / TILE + 1;         // of contexts that a tile of centres can reach
constexpr int CONTEXT_TILES = CONTEXTS / TILE, OUTPUT_TILES = CENTRE_TILES + NEGATIVE_TILES;

/* Add a slice's part to all scores; with the last slice turn them into errors, and return their loss. */
__device__ float set_errors(int slice, float share, float rate, Shared &shared) {
    const int of_centres = CENTRE_TILES * BAND_TILES, tiles = of_centres + NEGATIVE_TILES * CONTEXT_TILES;
    const int group = threadIdx.x / TILE_LANES, lane = threadIdx.x % TILE_LANES;
    float loss = 0.0f;
    for (int first = 0; first < tiles; first += TRAIN_THREADS / TILE_LANES) {
        const int tile = min(first + group, tiles - 1), rest = tile - of_centres;
        const bool is_positive = rest < 0;
        const int output_tile = is_positive ? tile / BAND_TILES : CENTRE_TILES + rest / CONTEXT_TILES;
        const int context_tile = is_positive ? output_tile + tile % BAND_TILES : rest % CONTEXT_TILES;
        const float2 products = tile_products(shared.y + TILE * output_tile, shared.x + TILE * context_tile);
        if (first + group >= tiles) continue;
        const int o = TILE * output_tile + lane / 2;
#pragma unroll
        for (int j = 0; j < 2; j++) {
            const int p = TILE * context_tile + 2 * (lane % 2) + j;
            const float product = j == 0 ? products.x : products.y;
            const float score = slice == 0 ? product : shared.errors[o][p] + product;
            const unsigned int pairs = shared.pairs[p];
            const float weight = is_positive ? (float)(pairs >> o & 1u)
                                             : share * (float)__popc(pairs & ~shared.same[o - BLOCK_CENTRES]);
            shared.errors[o][p] = slice + 1 < SLICES ? score : error_of(score, weight, is_positive, rate, loss);
        }
    }
    return loss;
}

/* Add a slice of the gradients of all rows, each row once. */
__device__ void add_gradients(int slice, bool, float *input_vectors, float *output_vectors, Shared &shared) {
    const int of_contexts = CONTEXT_TILES * SLICE_QUADS, items = of_contexts + OUTPUT_TILES * SLICE_QUADS;
    for (int item = threadIdx.x; item < items; item += TRAIN_THREADS) {
        const bool is_context = item < of_contexts;
        const int tile = item / SLICE_QUADS - (is_context ? 0 : CONTEXT_TILES), quad = item % SLICE_QUADS;
        const int place = slice * SLICE_QUADS + quad;
        float4 sums[TILE] = {};
        if (is_context) {
            const float *errors = &shared.errors[0][TILE * tile];
            const int begin = TILE * max(tile - BAND_TILES + 1, 0), end = min(TILE * (tile + 1), BLOCK_CENTRES);
            sum_over_outputs(errors, CONTEXTS, shared.y, begin, end, quad, sums);
            sum_over_outputs(errors, CONTEXTS, shared.y, BLOCK_CENTRES, OUTPUTS, quad, sums);
#pragma unroll
            for (int i = 0; i < TILE; i++) {
                const int p = TILE * tile + i;
                if (shared.pairs[p]) add_to_row(input_vectors, shared.context_ids[p], place, sums[i]);
            }
        } else {
            const float *errors = shared.errors[TILE * tile];
            const bool is_centre = tile < CENTRE_TILES;
            const int begin = is_centre ? TILE * tile : 0, end = is_centre ? TILE * (tile + BAND_TILES) : CONTEXTS;
            sum_over_contexts(errors, CONTEXTS, shared.x, begin, end, quad, sums);
            const int *word_ids = shared.output_ids + TILE * tile;
#pragma unroll
            for (int i = 0; i < TILE; i++) add_to_row(output_vectors, word_ids[i], place, sums[i]);
        }
    }
}

__device__ void set_means(Shared &) {}

__device__ int count_pairs(const Shared &shared) {
    int pairs = 0;
    for (int p = threadIdx.x; p < CONTEXTS; p += TRAIN_THREADS) pairs += __popc(shared.pairs[p]);
    return pairs;
}

#else

/* Fill h with the mean of each centre's window. */
__device__ void set_means(Shared &shared) {
    for (int item = threadIdx.x; item < BLOCK_CENTRES * SLICE_QUADS; item += TRAIN_THREADS) {
        const int b = item / SLICE_QUADS, quad = item % SLICE_QUADS, centre = b + WINDOW;
        const float window_share = shared.window_share[b];
        float4 mean = zero();
        for (int p = centre - shared.left[b]; p <= centre + shared.right[b]; p++)
            if (p != centre) add_scaled(mean, window_share, shared.x[p][quad]);
        shared.h[b][quad] = mean;
    }
    __syncthreads();
}

/* Add a slice's part to all scores; with the last slice turn them into errors, and return their loss. */
__device__ float set_errors(int slice, float share, float rate, Shared &shared) {
    const int tiles = NEGATIVE_TILES * CENTRE_TILES, lane = threadIdx.x % TILE_LANES, group = threadIdx.x / TILE_LANES;
    float loss = 0.0f;
    for (int first = 0; first < tiles; first += TRAIN_THREADS / TILE_LANES) {
        const int tile = min(first + group, tiles - 1), negative_tile = tile / CENTRE_TILES;
        const Quads *means = shared.h + TILE * (tile % CENTRE_TILES);
        const float2 products = tile_products(shared.y + BLOCK_CENTRES + TILE * negative_tile, means);
        if (first + group >= tiles) continue;
        const int n = TILE * negative_tile + lane / 2;
#pragma unroll
        for (int j = 0; j < 2; j++) {
            const int b = TILE * (tile % CENTRE_TILES) + 2 * (lane % 2) + j;
            const float product = j == 0 ? products.x : products.y;
            const float score = slice == 0 ? product : shared.errors[n][b] + product;
            const bool counts = shared.window_share[b] > 0.0f && !(shared.same[n] >> b & 1u);
            const float weight = counts ? share : 0.0f;
            shared.errors[n][b] = slice + 1 < SLICES ? score : error_of(score, weight, false, rate, loss);
        }
    }
    for (int first = 0; first < BLOCK_CENTRES; first += TRAIN_THREADS / TILE_LANES) {
        const int b = min(first + group, BLOCK_CENTRES - 1);
        float score = 0.0f;
        for (int quad = lane; quad < SLICE_QUADS; quad += TILE_LANES)
            score += dot(shared.h[b][quad], shared.y[b][quad]);
#pragma unroll
        for (int half = TILE_LANES / 2; half > 0; half /= 2) score += __shfl_xor_sync(EVERY_LANE, score, half);
        if (lane > 0 || first + group >= BLOCK_CENTRES) continue;
        if (slice > 0) score += shared.centre_errors[b];
        const float weight = shared.window_share[b] > 0.0f ? 1.0f : 0.0f;
        shared.centre_errors[b] = slice + 1 < SLICES ? score : error_of(score, weight, true, rate, loss);
    }
    return loss;
}

/* Add a slice of the gradients of all rows, each row once. */
__device__ void add_gradients(int slice, bool is_classic, float *input_vectors, float *output_vectors, Shared &shared) {
    for (int item = threadIdx.x; item < NEGATIVE_TILES * SLICE_QUADS; item += TRAIN_THREADS) {
        const int n = TILE * (item / SLICE_QUADS), quad = item % SLICE_QUADS;
        float4 sums[TILE] = {};
        sum_over_contexts(shared.errors[n], BLOCK_CENTRES, shared.h, 0, BLOCK_CENTRES, quad, sums);
        const int *word_ids = shared.output_ids + BLOCK_CENTRES + n;
#pragma unroll
        for (int i = 0; i < TILE; i++) add_to_row(output_vectors, word_ids[i], slice * SLICE_QUADS + quad, sums[i]);
    }
    for (int item = threadIdx.x; item < CENTRE_TILES * SLICE_QUADS; item += TRAIN_THREADS) {
        const int first = TILE * (item / SLICE_QUADS), quad = item % SLICE_QUADS;
        float4 sums[TILE] = {};
        const Quads *negatives = shared.y + BLOCK_CENTRES;
        sum_over_outputs(&shared.errors[0][first], BLOCK_CENTRES, negatives, 0, SHARED_NEGATIVES, quad, sums);
#pragma unroll
        for (int i = 0; i < TILE; i++) {
            const int b = first + i;
            float4 of_centre = zero();
            add_scaled(of_centre, shared.centre_errors[b], shared.h[b][quad]);
            add_to_row(output_vectors, shared.output_ids[b], slice * SLICE_QUADS + quad, of_centre);
            add_scaled(sums[i], shared.centre_errors[b], shared.y[b][quad]);
            shared.x[b][quad] = sums[i];
        }
    }
    __syncthreads();
    for (int item = threadIdx.x; item < REACHED * SLICE_QUADS; item += TRAIN_THREADS) {
        const int p = item / SLICE_QUADS, quad = item % SLICE_QUADS;
        float4 sum = zero();
        for (unsigned int left = shared.pairs[p]; left; left &= left - 1) {
            const int b = __ffs((int)left) - 1;
            add_scaled(sum, is_classic ? 1.0f : shared.window_share[b], shared.x[b][quad]);
        }
        if (shared.pairs[p]) add_to_row(input_vectors, shared.context_ids[p], slice * SLICE_QUADS + quad, sum);
    }
}

__device__ int count_pairs(const Shared &shared) {
    return threadIdx.x < BLOCK_CENTRES && shared.window_share[threadIdx.x] > 0.0f;
}

#endif

/* Return the first sentence in low ... high that begins after a position, by bisection. */
__device__ int sentence_after(const long long *sentence_offsets, int low, int high, long long position) {
    while (low < high) {
        const int middle = low + (high - low) / 2;
        if (sentence_offsets[middle] <= position)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Subsampling of one span, by all threads of a block. */
struct Keeper {
    const int *word_ids;
    const long long *sentence_offsets;
    const float *keep_probability;
    unsigned long long seed;
    unsigned int epoch;
    long long start;
    int low, high;                              // sentences that begin after the span's first and last word
    int *kept_word_ids, *kept_offsets, *kept_sentences;
    int *warp_counts;                           // in shared memory, one for each warp

    __device__ bool is_kept(long long position) const {
        const float chance = to_unit_interval(draw_words(seed, epoch, position, SUBSAMPLING, 0).x);
        return chance < __ldg(keep_probability + word_ids[position]);
    }

    /* Append the kept words of begin ... end in their order, but no more than one for each thread has a look at; return
    how many there are then. */
    __device__ int append_some(long long begin, long long end, int count) const {
        const int lane = threadIdx.x % LANES, warp = threadIdx.x / LANES, warps = blockDim.x / LANES;
        const long long position = begin + threadIdx.x;
        const bool keeps = position < end && is_kept(position);
        const unsigned int mask = __ballot_sync(EVERY_LANE, keeps);
        if (lane == 0) warp_counts[warp] = __popc(mask);
        __syncthreads();
        int place = count + __popc(mask & ((1u << lane) - 1u));
        for (int other = 0; other < warps; other++) {
            place += other < warp ? warp_counts[other] : 0;
            count += warp_counts[other];
        }
        if (keeps) {
            kept_word_ids[place] = word_ids[position];
            kept_offsets[place] = (int)(position - start);
            kept_sentences[place] = sentence_after(sentence_offsets, low, high, position);
        }
        __syncthreads();
        return count;
    }

    /* Append the kept words of begin ... end, but stop where there are `enough`; return how many there are then. */
    __device__ int append(long long begin, long long end, int count, int enough) const {
        for (; begin < end && count < enough; begin += blockDim.x) count = append_some(begin, end, count);
        return count;
    }
};

}  // namespace

extern "C" __global__ void __launch_bounds__(1024) draw_spans(
    const int *__restrict__ word_ids,
    const long long *__restrict__ sentence_offsets,
    int sentences,
    const float *__restrict__ keep_probability,
    unsigned long long seed,
    unsigned int epoch,
    long long start,
    long long stop,
    int span_words,
    int room,
    int *kept_word_ids,
    int *kept_offsets,
    int *kept_sentences,
    int *span_bounds
) {
    extern __shared__ float4 shared_memory[];
    const long long begin = start + (long long)blockIdx.x * span_words, end = min(begin + span_words, stop);
    const int low = sentence_after(sentence_offsets, 0, sentences + 1, begin);
    const int high = sentence_after(sentence_offsets, low, sentences + 1, end - 1);
    const long long first_begin = sentence_offsets[low - 1], last_end = sentence_offsets[high];
    const size_t row = (size_t)blockIdx.x * room;
    const Keeper keeper = {
        word_ids, sentence_offsets, keep_probability, seed, epoch, start, low, high,
        kept_word_ids + row, kept_offsets + row, kept_sentences + row, reinterpret_cast<int *>(shared_memory),
    };

    long long before = begin;                   // back to where WINDOW words are kept, or the sentence begins
    for (int found = 0; before > first_begin && found < WINDOW;) {
        const long long from = max(before - (long long)blockDim.x, first_begin), position = from + threadIdx.x;
        found += __syncthreads_count(position < before && keeper.is_kept(position));
        before = from;
    }
    const int first = keeper.append(before, begin, 0, room);
    const int last = keeper.append(begin, end, first, room);
    const int count = keeper.append(end, last_end, last, last + WINDOW);
    if (threadIdx.x == 0) {
        int *bounds = span_bounds + 3 * blockIdx.x;
        bounds[0] = first, bounds[1] = last, bounds[2] = count;
    }
}

extern "C" __global__ void __launch_bounds__(TRAIN_THREADS, 2) train_blocks(      // 2: at most 128 registers a thread
    float *input_vectors,
    float *output_vectors,
    const int *__restrict__ kept_word_ids,
    const int *__restrict__ kept_offsets,
    const int *__restrict__ kept_sentences,
    const int *__restrict__ span_bounds,
    int spans,
    int room,
    const float *__restrict__ own_share,
    const int *__restrict__ alias,
    int vocabulary_size,
    unsigned long long seed,
    unsigned int epoch,
    long long start,
    long long stop,
    int span_words,
    double first_rate,
    double last_rate,
    float share,
    int shrink_window,
    int partial_windows,
    int is_classic,
    double *totals
) {
    extern __shared__ float4 shared_memory[];
    Shared &shared = *reinterpret_cast<Shared *>(shared_memory);
    const Draws draws = {
        seed, epoch, own_share, alias, (unsigned int)vocabulary_size, shrink_window != 0, partial_windows != 0,
    };
    const double slope = (last_rate - first_rate) / (double)(stop - start);
    const int places = spans * ((span_words + BLOCK_CENTRES - 1) / BLOCK_CENTRES);
    double loss = 0.0, pairs = 0.0;

    for (int place = blockIdx.x; place < places; place += gridDim.x) {     // blocks side by side are of different spans
        const int row = place % spans;
        const Span span = {
            kept_word_ids + (size_t)row * room, kept_offsets + (size_t)row * room, kept_sentences + (size_t)row * room,
            span_bounds[3 * row], span_bounds[3 * row + 1], span_bounds[3 * row + 2],
        };
        const int begin = span.first + place / spans * BLOCK_CENTRES;
        if (begin >= span.last) continue;
        const int offset = span.offsets[begin];
        const float rate = (float)(first_rate + slope * offset);

        read_block(draws, span, begin, start + offset, shared);
        __syncthreads();
        set_windows(draws, shared);
        for (int slice = 0; slice < SLICES; slice++) {
            if (slice > 0) __syncthreads();
            stage_rows(input_vectors, shared.context_ids, CONTEXTS, slice, shared.x);
            stage_rows(output_vectors, shared.output_ids, OUTPUTS, slice, shared.y);
            __syncthreads();
            set_means(shared);
            loss += set_errors(slice, share, rate, shared);
        }
        pairs += count_pairs(shared);
        for (int slice = 0; slice < SLICES && rate != 0.0f; slice++) {
            __syncthreads();
            if (SLICES > 1) {                   // the rows did not find room together: read them again
                stage_rows(input_vectors, shared.context_ids, CONTEXTS, slice, shared.x);
                stage_rows(output_vectors, shared.output_ids, OUTPUTS, slice, shared.y);
                __syncthreads();
                set_means(shared);
            }
            add_gradients(slice, is_classic != 0, input_vectors, output_vectors, shared);
        }
        __syncthreads();
    }
#pragma unroll
    for (int half = LANES / 2; half > 0; half /= 2) {
        loss += __shfl_xor_sync(EVERY_LANE, loss, half);
        pairs += __shfl_xor_sync(EVERY_LANE, pairs, half);
    }
    if (threadIdx.x % LANES == 0) atomicAdd(totals, loss), atomicAdd(totals + 1, pairs);
}
