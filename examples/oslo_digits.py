# %% [markdown]
# # Small digits, and a grid of learning rates and regularisation
#
# Source: M. Hjorth-Jensen, *Advanced machine learning for the physical sciences*, Oslo 2023
# (rows N12, N13, N15).
#
# 1,797 digits of 8 x 8 pixels come with scikit-learn: small enough that a whole training takes a
# second, and so that one can afford to train not one network but many.

# %%
import numpy as np
import striate as st
from keras import layers, optimizers, regularizers
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

digits = load_digits()
x_train, x_test, y_train, y_test = train_test_split(
    digits.images, digits.target, train_size=0.8, random_state=0
)
print(x_train.shape, x_train.max(), x_test.shape)

# %% [markdown]
# ## Where the channels belong
#
# A convolution layer wants (sample, row, column, channel), also where there is one channel only.
# A common slip is a new axis in the middle, (n, 8, 1, 8): eight rows, one column, eight channels.
# Keras would take it without a word and learn something else. A `Dataset` does not.

# %%
try:
    st.Dataset.from_arrays(x_train[:, :, np.newaxis], y_train)
except st.StriateError as error:
    print("refused:", error)
else:
    raise AssertionError("the channel axis in the wrong place was not noticed")

data = st.Dataset.from_arrays(x_train, y_train, x_test, y_test, name="digits by hand")
print(data)
assert data.image_shape == (8, 8, 1)
assert data.train.images.max() == 1  # of 16 grey levels

# %%
figure = st.plots.samples(data.train.images, data.train.labels, data.class_names, n=10)
st.plots.save(figure, "figures/oslo_digits")
figure

# %% [markdown]
# ## One network
#
# Ten kernels, a hidden layer of 50, plain gradient descent in batches of 100. The L2 strength is
# the price, in units of the loss, of the sum of all squared weights.


# %%
def build(l2=0.0, learning_rate=0.1):
    """Return the network of the lecture, compiled."""

    def penalty():
        return regularizers.L2(l2)

    model = st.Sequential(
        [
            layers.Input((8, 8, 1)),
            layers.Conv2D(10, 3, activation="relu", kernel_regularizer=penalty()),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(50, activation="relu", kernel_regularizer=penalty()),
            layers.Dense(10, activation="softmax", kernel_regularizer=penalty()),
        ]
    )
    sgd = optimizers.SGD(learning_rate)
    model.compile(sgd, "categorical_crossentropy", metrics=["accuracy"])
    return model


run = st.train(build, data, epochs=100, batch_size=100, seed=0, verbose=0)
result = st.evaluate(run, data)
print("test accuracy", result.accuracy, result.training.verdict)

# %%
figure = st.plots.history(run.history, "one network", validation="test")
st.plots.save(figure, "figures/oslo_digits_history")
figure

# %% [markdown]
# ## Many networks
#
# Which learning rate, how much regularisation? Powers of ten first. Networks that differ in
# numbers only are trained side by side, as one program. (The lecture's grid has seven of each:
# `striate grid digits --learning-rate 1e-5:1e1:7 --l2 1e-5:1e1:7 --epochs 100`.)

# %%
grid = st.grid(
    build,
    data,
    learning_rate=[1e-3, 1e-1, 1.0],
    l2=[1e-5, 1e-3, 1e-1],
    epochs=100,
    batch_size=100,
    verbose=0,
)
figure = grid.heatmap("test_accuracy")
st.plots.save(figure, "figures/oslo_digits_grid")
figure

# %% [markdown]
# With too small a rate a hundred epochs are not enough; with too much regularisation the weights
# stay near zero, and the network guesses. In between is a region where neither matters much, and
# where one should stay. That the best of the cells was chosen by its test accuracy makes that
# accuracy a little too good: with 360 images it is uncertain by nearly one per cent anyway.

# %%
best = grid.best()
print(best)
assert grid.test_accuracy[0, 2] < 0.5
assert result.accuracy >= 0.96
assert best["test_accuracy"] >= 0.97
