# %% [markdown]
# # What do kernel size, stride, padding and pooling change?
#
# Source: PHYS591000, *Convolutional neural networks*, NTHU 2022 (row N8).
#
# The lecture lists what one has to choose, and gives MNIST as exercise. So: one small network, one
# choice changed at a time, three seeds each. Seeds are the error bars: a difference smaller than
# theirs says nothing.

# %%
import matplotlib.pyplot as plt
import numpy as np
import striate as st
from keras import layers

data = st.load("mnist")
SEEDS = [0, 1, 2]


def build(kernel=3, stride=1, padding="valid", pooling="max", filters=16):
    """Return one convolution, one pooling, one hidden layer."""
    pool = {
        "max": [layers.MaxPooling2D(2)],
        "average": [layers.AveragePooling2D(2)],
        "none": [],
    }
    model = st.Sequential(
        [
            layers.Input((28, 28, 1)),
            layers.Conv2D(filters, kernel, stride, padding, activation="relu"),
            *pool[pooling],
            layers.Flatten(),
            layers.Dense(32, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    return model


# %% [markdown]
# ## Sizes first
#
# How large the feature map becomes can be said before anything is trained, and decides how many
# weights the dense layer behind it has.

# %%
for kernel, stride, padding in [(3, 1, "valid"), (3, 1, "same"), (7, 1, "valid"), (3, 2, "valid")]:
    size = st.convolution.output_size(28, kernel, stride, padding)
    model = build(kernel, stride, padding)
    print(f"kernel {kernel}, stride {stride}, {padding}: {size} x {size}, ", end="")
    print(f"{model.count_params():,} parameters")
    assert model.layers[0].output.shape[1] == size

# %% [markdown]
# The data format, channels last or first, is bookkeeping only: the same numbers in another order
# in memory. striate keeps channels last, as Keras does unless told otherwise.
#
# ## One choice at a time
#
# Three epochs in batches of 64, as in the other lectures.


# %%
choices = {
    "kernel": [3, 5, 7],
    "stride": [1, 2, 3],
    "padding": ["valid", "same"],
    "pooling": ["max", "average", "none"],
}
found = {}
for name, values in choices.items():
    scan = st.grid(build, data, **{name: values}, seed=SEEDS, epochs=3, batch_size=64, verbose=0)
    for value, accuracies in zip(values, scan.test_accuracy, strict=True):
        mean, error = accuracies.mean(), accuracies.std(ddof=1) / np.sqrt(len(SEEDS))
        found[f"{name} {value}"] = mean, error
        print(f"{name:8s} {value!s:8s} {mean:.4f} +- {error:.4f}")

# %%
figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
means, errors = zip(*found.values(), strict=True)
axes.errorbar(means, range(len(found)), xerr=errors, fmt="o", capsize=3)
axes.set_yticks(range(len(found)), found)
axes.invert_yaxis()
axes.set_xlabel("test accuracy, mean of three seeds")
st.plots.save(figure, "figures/nthu_hyperparameters")

# %% [markdown]
# Which choices differ by more than their errors? Three seeds tell large effects from chance, not
# small ones. The stride is a large one: with 3 each pixel is seen once, the pooled map has 4 x 4
# pixels, and four of a hundred images more are taken for another digit.

# %%
gain = found["kernel 7"][0] - found["kernel 3"][0]
assert gain > 2 * np.hypot(found["kernel 7"][1], found["kernel 3"][1])
lost = [found["stride 1"][0] - found[f"stride {stride}"][0] for stride in (2, 3)]
assert 0.005 < lost[0] < lost[1] < 0.06
assert all(mean >= 0.96 for name, (mean, _) in found.items() if name != "stride 3")
