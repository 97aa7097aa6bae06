/* The block algorithm on a GPU: the steps of block_reference.py, one block of words by one block of threads.

Names: a *block* is BLOCK_CENTRES consecutive kept words with their contexts and shared negatives, as in blocks.py;
*threads* are CUDA's. block_plan.py holds the Python side of everything below: constants, sizes, arguments.

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
        16  double first_rate                  the learning rate at start; 0 at both: the loss is measured, nothing is added
        17  double last_rate                   the learning rate at stop
        18  float share                        K / N
        19  int shrink_window                  1 or 0
        20  int partial_windows                1 or 0
        21  int is_classic                     1 or 0; CBOW only
        22  double *totals                     (2,) float64: the loss in nats and the positive pairs are added to it

As many blocks are in flight as train_blocks has blocks of threads. Their steps are not ordered (Hogwild): a row is read
once, from the second-level cache, and its whole gradient is added once, by atomics. */
