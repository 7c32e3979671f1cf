"""`maximise` and `generate`: what a unit, a layer or any weighted sum of units wants to hear (Mishra et al. 2019).

`maximise` climbs the objective of Eq. 2 for every row by itself:

    sign · response(z) + λ · log p(z),   log p(z) = −½‖z‖² without its constant

The response is a weighted sum of the detector's units, before any sigmoid, for the generator's output at z, standardised.
One call makes up to `steps_per_call` steps of Adam; rows of different requests share a call. Every tensor has the batch
axis first and is float32 unless stated.

A row's state goes in, and comes out with `next_` before its name:

    z [128]                    where the row is; begins standard normal
    first_moment [128]         Adam's, before bias correction; begins 0
    second_moment [128]        likewise
    step int32 [1]             updates made so far; begins 0
    evaluated_step int32 [1]   the step at which z was evaluated last; begins -1
    response [1]               found there; begins 0
    prior [1]                  log p(z) there; begins 0
    best_z [128]               where the objective was largest so far; begins 0
    best_objective [1]         how large; begins -3e38

A row's settings:

    steps int32 [1]            updates to make in all; may be raised later, and the row goes on
    learning_rate [1]
    prior_weight [1]           λ
    sign [1]                   1 to maximise, -1 to minimise: the response only, never the prior
    weights [705]              of all channels of all layers: conv1, conv2, mp3, conv4, conv5, mp6, fc7, fc8, logit
    position int32 [2]         frame and band in the maps of those before fc7; -1, -1: their mean

Each step evaluates z, notes it if it is the best so far, and moves it unless the budget is spent. A row is done once
`next_evaluated_step` is `steps`; then `next_response` and `next_prior` are those of `next_z`. A row that is done stays as
it is, whatever else is in the batch, and a call ends early as soon as another row is done, so that its place can be taken.

`maximise_features` is the same without `position`, for weights of fc7, fc8 and logit only (`weights [321]`): faster.

`generate` evaluates points: `z [128]`, `weights [705]` and `position int32 [2]` to `log_mel [115, 80]`, `response [1]`,
`prior [1]` and `probability [1]`.
"""
