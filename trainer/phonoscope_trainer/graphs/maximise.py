"""`maximise` and `generate`: what a unit, a layer or any weighted sum of units wants to hear (Mishra et al. 2019).

`maximise` climbs the objective of Eq. 2 for every row by itself:

    sign · response(z) + λ · log p(z),   log p(z) = −½‖z‖² without its constant

The response is a weighted sum of the detector's units, before any sigmoid, for the generator's output at z, standardised.
One call makes up to K steps of Adam (attribute `steps_per_call`); rows of different requests share a call. Inputs, each
with a batch axis first, float32 unless stated:

    z [128]                 where the row is; begins standard normal
    first_moment [128]      Adam's, before bias correction; begin 0
    second_moment [128]
    step int32 [1]          updates made so far; begins 0
    best_z [128]            where the objective was largest so far; begins 0 or anything
    best_objective [1]      begins at -3e38
    steps int32 [1]         updates to make in all; may be raised later, and the row goes on
    learning_rate [1]
    prior_weight [1]        λ
    sign [1]                1 to maximise, -1 to minimise: of the response only, never of the prior
    weights [705]           of all channels of all layers: conv1, conv2, mp3, conv4, conv5, mp6, fc7, fc8, logit
    position int32 [2]      frame and band in the map of a convolutional or pooling layer; -1, -1: the map's mean

Outputs:

    next_z, next_first_moment, next_second_moment, next_step, next_best_z, next_best_objective
    response [1]            at the point that was evaluated last
    prior [1]               log p(z) there
    evaluated_step int32 [1] how many updates had been made there: the row is done once this is `steps`, and then
                            `response` and `prior` are those of `next_z`

Each step evaluates z, notes it if it is the best so far, and moves it unless the budget is spent; a spent row stays where
it is, whatever else is in the batch. A call ends early as soon as some unfinished row is done.

`generate` evaluates points: `z [128]`, `weights [705]`, `position int32 [2]` to `log_mel [115, 80]`, `response [1]`,
`prior [1]` and `probability [1]`.
"""
