/* CUDA on the CPU, as much as block.cu needs of it: each CUDA thread is a fiber, and waits where a GPU's thread waits.

What it is strict about:
* The blocks of threads that are resident run side by side, in turns that a seed decides; so do their threads, and warps
  may fall behind at any turn. What lacks a barrier reads what is not there yet.
* Shared memory is NaN where a block of threads begins, and each has its own.
* A warp's exchange or a barrier at which some threads never arrive, or arrive for something else, is an error.
What it cannot show: lost updates (no thread is interrupted while it adds), caches, speed, what a GPU's compiler does.

No C++ library is used, so that any compiler will do. emulator.py puts this before the source and EMULATE after it. */

#include <math.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#define __global__
#define __device__
#define __shared__
#define __forceinline__ inline
#define __restrict__
#define __launch_bounds__(...)

struct float2 { float x, y; };
struct alignas(16) float4 { float x, y, z, w; };
struct uint3 { unsigned int x, y, z; };
struct uint4 { unsigned int x, y, z, w; };

namespace emulator {

constexpr int LANES = 32, MOST_THREADS = 1024, MOST_SHARED = 227 * 1024;
constexpr size_t STACK = 64 * 1024;

enum Wait { NOTHING, SHUFFLE, BALLOT, BARRIER, COUNT };        // the last two are of all threads of a block

struct Fiber {
    jmp_buf place;
    ucontext_t start;
    bool is_started, is_done;
    Wait waits_for;
    unsigned int exchanges;                                    // so far: the next one has the other half of `given`
    int predicate, total;                                      // given to a ballot or a count, and what came of it
    unsigned long long given[2];
};

struct Block {
    Fiber *fibers;
    char *stacks, *shared;
    unsigned int index;
    bool is_done;
};

Block *block;                                                  // whose turn it is, and of its threads which one
int current, threads;
unsigned int blocks_in_grid;
unsigned long long random_state;
jmp_buf scheduler;
void (*kernel)(void **);
void **kernel_arguments;
char problem[200];

unsigned int draw(unsigned int bound) {
    random_state ^= random_state << 13, random_state ^= random_state >> 7, random_state ^= random_state << 17;
    return (unsigned int)((random_state >> 32) % bound);
}

void wait(Wait reason) {
    block->fibers[current].waits_for = reason;
    if (!_setjmp(block->fibers[current].place)) _longjmp(scheduler, 1);
}

void begin_fiber() {
    kernel(kernel_arguments);
    block->fibers[current].is_done = true;
    _longjmp(scheduler, 1);
}

int vote(Wait reason, int predicate) {
    block->fibers[current].predicate = predicate;
    wait(reason);
    return block->fibers[current].total;
}

template <class T> T exchange(T value, int from) {
    Fiber &mine = block->fibers[current];
    const unsigned int half = mine.exchanges++ % 2;
    memcpy(&mine.given[half], &value, sizeof value);
    wait(SHUFFLE);
    memcpy(&value, &block->fibers[current / LANES * LANES + from].given[half], sizeof value);
    return value;
}

/* Run each thread that waits for nothing, but for warps that fall behind, until it waits or ends. */
bool run_threads() {
    static int order[MOST_THREADS];
    bool has_run = false;
    for (int i = 0; i < threads; i++) {
        const int j = (int)draw(i + 1);
        order[i] = order[j], order[j] = i;
    }
    unsigned int behind = 0;
    for (int warp = 0; warp < threads / LANES; warp++) behind |= (unsigned int)(draw(4) == 0) << warp;
    for (volatile int i = 0; i < threads; i++) {
        current = order[i];
        Fiber &fiber = block->fibers[current];
        if (fiber.is_done || fiber.waits_for != NOTHING) continue;
        has_run = true;
        if (behind >> current / LANES & 1u) continue;
        if (_setjmp(scheduler)) continue;
        if (fiber.is_started) _longjmp(fiber.place, 1);
        fiber.is_started = true;
        setcontext(&fiber.start);
    }
    return has_run;
}

/* Let go the threads begin ... begin + count where all wait for the same thing, of the kinds low ... high. */
bool release(int begin, int count, Wait low, Wait high) {
    Fiber *fibers = block->fibers + begin;
    const Wait reason = fibers[0].waits_for;
    int total = 0;
    for (int i = 0; i < count; i++) {
        if (fibers[i].is_done || fibers[i].waits_for != reason || reason < low || reason > high) return false;
        total += fibers[i].predicate ? (reason == BALLOT ? (int)(1u << i) : 1) : 0;
    }
    for (int i = 0; i < count; i++) fibers[i].waits_for = NOTHING, fibers[i].total = total;
    return true;
}

bool release_all() {
    bool is_released = false;
    for (int begin = 0; begin < threads; begin += LANES) is_released |= release(begin, LANES, SHUFFLE, BALLOT);
    return release(0, threads, BARRIER, COUNT) || is_released;
}

bool has_ended() {
    for (int i = 0; i < threads; i++)
        if (!block->fibers[i].is_done) return false;
    return true;
}

void begin_block(Block &begun, unsigned int index) {
    begun.index = index, begun.is_done = false;
    memset(begun.shared, 0xFF, MOST_SHARED);                   // NaN, and no word
    memset(begun.fibers, 0, sizeof(Fiber) * threads);
    for (int i = 0; i < threads; i++) {
        ucontext_t &start = begun.fibers[i].start;
        getcontext(&start);
        start.uc_stack.ss_sp = begun.stacks + STACK * i, start.uc_stack.ss_size = STACK, start.uc_link = nullptr;
        makecontext(&start, begin_fiber, 0);
    }
}

void *reserve(size_t bytes) {
    return mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

}  // namespace emulator

extern "C" {
float4 shared_memory[emulator::MOST_SHARED / sizeof(float4)];
}

namespace emulator {

/* Give the turn to a block of threads: its shared memory takes the place of the last one's. */
void take_turn(Block *next, size_t shared_bytes) {
    if (block == next) return;
    if (block) memcpy(block->shared, shared_memory, shared_bytes);
    memcpy(shared_memory, next->shared, shared_bytes);
    block = next;
}

/* Run the blocks of a grid, so many at a time; return what went wrong, or an empty text. */
const char *run_grid(int grid, int resident, size_t shared_bytes) {
    Block *blocks = (Block *)calloc(resident, sizeof(Block));
    int begun = 0, done = 0;
    problem[0] = 0, block = nullptr;
    for (int i = 0; i < resident; i++) {
        blocks[i].fibers = (Fiber *)reserve(sizeof(Fiber) * threads);
        blocks[i].stacks = (char *)reserve(STACK * threads), blocks[i].shared = (char *)reserve(MOST_SHARED);
        begin_block(blocks[i], begun++);
    }
    while (done < grid && !problem[0]) {
        const int which = (int)draw(resident);
        if (blocks[which].is_done) continue;
        take_turn(&blocks[which], shared_bytes);
        bool can_go_on = run_threads();
        can_go_on |= release_all();
        if (has_ended()) {
            done++, blocks[which].is_done = true;
            block = nullptr;
            if (begun < grid) begin_block(blocks[which], begun++);
        } else if (!can_go_on) {
            const char *told = "deadlock: threads of block %u wait for what others never do";
            snprintf(problem, sizeof problem, told, block->index);
        }
    }
    for (int i = 0; i < resident; i++) {
        munmap(blocks[i].fibers, sizeof(Fiber) * threads);
        munmap(blocks[i].stacks, STACK * threads), munmap(blocks[i].shared, MOST_SHARED);
    }
    free(blocks);
    return problem;
}

const char *launch(
    void (*started)(void **), int grid, int threads_each, int shared_bytes, int resident, unsigned long long seed,
    void **given
) {
    if (threads_each % LANES || threads_each < LANES || threads_each > MOST_THREADS) return "no whole warps";
    if (shared_bytes < 0 || shared_bytes > MOST_SHARED) return "more shared memory than a GPU has";
    kernel = started, kernel_arguments = given, threads = threads_each, blocks_in_grid = (unsigned int)grid;
    random_state = 88172645463325252ull ^ seed * 0x9E3779B97F4A7C15ull;
    return run_grid(grid, resident < grid ? resident : grid, (size_t)(shared_bytes + 15) / 16 * 16);
}

/* The names of a kernel's parameters' types, as NumPy has them; a pointer's ends in *. */
template <class T> struct Name;
template <> struct Name<int> { static constexpr const char *text = "int32"; };
template <> struct Name<unsigned int> { static constexpr const char *text = "uint32"; };
template <> struct Name<long long> { static constexpr const char *text = "int64"; };
template <> struct Name<unsigned long long> { static constexpr const char *text = "uint64"; };
template <> struct Name<float> { static constexpr const char *text = "float32"; };
template <> struct Name<double> { static constexpr const char *text = "float64"; };
template <class T> struct Described { static constexpr const char *text = Name<T>::text, *end = " "; };
template <class T> struct Described<T *> { static constexpr const char *text = Name<T>::text, *end = "* "; };
template <class T> struct Described<const T *> { static constexpr const char *text = Name<T>::text, *end = "* "; };

template <int... I> struct Places {};
template <int N, int... I> struct Counted : Counted<N - 1, N - 1, I...> {};
template <int... I> struct Counted<0, I...> { using Type = Places<I...>; };

template <class... P, int... I> void call(void (*called)(P...), void **given, Places<I...>) {
    called(*(P *)given[I]...);
}
template <class... P> void call(void (*called)(P...), void **given) {
    call(called, given, typename Counted<sizeof...(P)>::Type());
}
template <class... P> const char *describe(void (*)(P...)) {
    static char text[1000];
    text[0] = 0;
    ((strcat(text, Described<P>::text), strcat(text, Described<P>::end)), ...);
    return text;
}

}  // namespace emulator

#define EMULATE(name)                                                                                                  \
    static void call_##name(void **given) { emulator::call(name, given); }                                             \
    extern "C" const char *describe_##name() { return emulator::describe(name); }                                      \
    extern "C" const char *launch_##name(                                                                              \
        int grid, int threads, int shared_bytes, int resident, unsigned long long seed, void **given                   \
    ) {                                                                                                                \
        return emulator::launch(call_##name, grid, threads, shared_bytes, resident, seed, given);                      \
    }

#define threadIdx (uint3{(unsigned int)emulator::current, 0, 0})
#define blockIdx (uint3{emulator::block->index, 0, 0})
#define blockDim (uint3{(unsigned int)emulator::threads, 1, 1})
#define gridDim (uint3{emulator::blocks_in_grid, 1, 1})

static inline float2 make_float2(float x, float y) { return {x, y}; }
static inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
static inline uint4 make_uint4(unsigned int x, unsigned int y, unsigned int z, unsigned int w) { return {x, y, z, w}; }

static inline void __syncthreads() { emulator::wait(emulator::BARRIER); }
static inline int __syncthreads_count(int predicate) { return emulator::vote(emulator::COUNT, predicate); }
static inline unsigned int __ballot_sync(unsigned int, int predicate) {
    return (unsigned int)emulator::vote(emulator::BALLOT, predicate);
}
template <class T> T __shfl_xor_sync(unsigned int, T value, int mask) {
    return emulator::exchange(value, (emulator::current % emulator::LANES) ^ mask);
}

template <class T> T __ldcg(const T *place) { return *place; }
template <class T> T __ldg(const T *place) { return *place; }
template <class T> void atomicAdd(T *place, T value) { *place += value; }
static inline void atomicAdd(float4 *place, float4 value) {
    place->x += value.x, place->y += value.y, place->z += value.z, place->w += value.w;
}

static inline unsigned int __umulhi(unsigned int a, unsigned int b) {
    return (unsigned int)((unsigned long long)a * b >> 32);
}
static inline int __popc(unsigned int bits) { return __builtin_popcount(bits); }
static inline int __ffs(int bits) { return __builtin_ffs(bits); }
static inline int min(int a, int b) { return a < b ? a : b; }
static inline int max(int a, int b) { return a > b ? a : b; }
static inline long long min(long long a, long long b) { return a < b ? a : b; }
static inline long long max(long long a, long long b) { return a > b ? a : b; }
