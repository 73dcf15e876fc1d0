# %% [markdown]
# # What a convolution is: polynomials, matrices, Fourier, an oscillator
#
# Source: M. Hjorth-Jensen, *Advanced machine learning for the physical sciences*, Oslo 2023
# (rows C1 to C9).
#
# No network here, only the operation that networks are named after, met in places that a
# physicist knows already.

# %%
import numpy as np
import striate as st
from scipy.integrate import solve_ivp
from striate.explain.fourier import fourier, oscillator

conv = st.convolution

# %% [markdown]
# ## Multiplying polynomials is a convolution
#
# The coefficient of t^j collects every pair whose powers add up to j:
# delta_j = sum_i alpha_i beta_(j-i). Whole numbers stay exact.

# %%
alpha, beta = [1, -2, 3], [4, 0, 5, -6]  # degrees 2 and 3
delta = conv.convolve(alpha, beta)
print(delta)
assert np.array_equal(delta, np.polynomial.polynomial.polymul(alpha, beta))
assert np.array_equal(delta, conv.convolve(beta, alpha))  # it commutes

# %% [markdown]
# The sum is linear in beta, so there is a matrix for it. Its diagonals are constant: a Toeplitz
# matrix, 6 x 4 when built from alpha, 6 x 3 when built from beta.

# %%
from_alpha, from_beta = conv.toeplitz(alpha, 4), conv.toeplitz(beta, 3)
print(from_alpha, from_beta, sep="\n\n")
assert (from_alpha.shape, from_beta.shape) == ((6, 4), (6, 3))
assert np.array_equal(from_alpha @ beta, delta)
assert np.array_equal(from_beta @ alpha, delta)

# %% [markdown]
# ## In two dimensions, and which way round
#
# Convolution turns the kernel by 180 degrees before it slides; what deep-learning libraries call
# by that name does not, and is a cross-correlation. A network that learns its kernels does not
# care. A physicist who compares numbers does.

# %%
image, kernel = np.arange(1, 10).reshape(3, 3), np.array([[1, 2], [3, 4]])
correlated = conv.correlate(image, kernel, "valid")
print(correlated, conv.convolve(image, kernel, "valid"), sep="\n\n")
assert np.array_equal(correlated, conv.convolve(image, kernel[::-1, ::-1], "valid"))

# %% [markdown]
# It is linear again, so one matrix times the flattened image does it: 4 x 9, with 16 of its 36
# entries in use. Real images show why nobody builds it: the memory is counted, not taken.

# %%
W = conv.convolution_matrix(kernel, (3, 3))
print(W.toarray())
assert (W.shape, W.nnz) == ((4, 9), 16)
assert np.array_equal(W @ image.ravel(), correlated.ravel())
print(conv.matrix_memory((3, 3, 1, 32), (28, 28, 1), channels=True))

# %% [markdown]
# ## Fourier: a product instead of a sum
#
# The transform of a convolution is the product of the transforms, which is much less work when
# the kernel is large. The two ways agree to rounding.

# %%
rng = np.random.default_rng(0)
signal, response = rng.normal(size=500), np.exp(-np.arange(100) / 20)
difference = conv.fft_convolve(signal, response) - conv.convolve(signal, response)
print(f"largest difference {np.abs(difference).max():.1e}")
assert np.abs(difference).max() < 1e-12

# %% [markdown]
# ## A square wave of cosines
#
# Period 0.2, width 0.1, height 2. More harmonics come closer everywhere but at the jumps: there
# the overshoot stays at 8.9 % of the jump, as Gibbs explained.

# %%
figure = fourier(conv.fourier_series(500)).figure
st.plots.save(figure, "figures/oslo_fourier")
figure

# %%
force = conv.fourier_series(500)
assert [round(force.overshoot(n), 3) for n in (5, 50, 500)] == [0.094, 0.09, 0.089]

# %% [markdown]
# ## The same wave drives an oscillator
#
# m x'' + c x' + k x = F(t) is linear, so each harmonic drives it as if it were alone, and the
# motions add up. A solver that knows nothing of Fourier finds the same motion.

# %%
force = conv.fourier_series(500)
motion = conv.driven_oscillator(force, mass=1.0, damping=5.0, stiffness=2000.0)
figure = oscillator(motion).figure
st.plots.save(figure, "figures/oslo_oscillator")
figure

# %%
times = np.array([0, 1, 3, 4]) * force.period / 4  # the force jumps at the middle two
state = [motion(0.0), motion.velocity(0.0)]
for begin, end, height in zip(times, times[1:], (force.height, 0.0, force.height), strict=False):
    solved = solve_ivp(
        lambda _, y, f=height: [y[1], f - 5.0 * y[1] - 2000.0 * y[0]],
        (begin, end),
        state,
        rtol=1e-10,
        atol=1e-14,
    )
    state = solved.y[:, -1]
    print(f"t = {end:.2f}: {state[0]:.9f} by the solver, {motion(end):.9f} by superposition")
    assert abs(state[0] - motion(end)) < 1e-8

# %% [markdown]
# ## Sizes, weights, and what a neuron sees
#
# o = floor((i + 2p - k) / s) + 1 counts outputs. Dense layers on images are large, kernels are
# not; and each layer sees more of the image than the one before.

# %%
assert conv.output_size(28, 3) == 26  # i - k + 1
assert conv.output_size(28, 3, padding=1) == conv.output_size(28, 3, padding="same") == 28
assert conv.output_size(28, 3, padding="full") == 30  # i + k - 1
assert conv.count_parameters(784, 30, 10) == 23_860
assert conv.count_parameters(10**6, 10**4, 1) == 10**10 + 10**4 + 10**4 + 1
assert conv.count_parameters((128, 128, 3), 1, bias=False) == 49_152
layers = [conv.Convolution(3), conv.Pooling(2), conv.Convolution(3), conv.Pooling(2)]
for field in conv.receptive_field((28, 28), *layers):
    print("a neuron sees", field.size, "pixels, its neighbour", field.jump, "further on")
assert field.size == (10, 10)
