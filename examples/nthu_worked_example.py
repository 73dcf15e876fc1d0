# %% [markdown]
# # Is it an O or an X? One convolution by hand, then a network that learns its own
#
# Source: PHYS591000, *Convolutional neural networks*, NTHU 2022 (rows W1 to W5).
#
# The smallest network that can be worked out on paper: an image of 6 x 6 pixels, one kernel of
# 3 x 3, a bias, ReLU, 2 x 2 pooling. First number by number, then with Keras.

# %%
import numpy as np
import striate as st  # first: it selects the backend of Keras
import keras
from keras import layers, optimizers

ring, cross = (st.convolution.worked_example(letter).image for letter in "OX")
print(ring, cross, sep="\n\n")

# %% [markdown]
# ## One window
#
# The kernel is a diagonal that rises to the right. Lay it on the upper left corner of the O,
# multiply what lies upon each other, add everything up, add the bias of -2. Three pixels match,
# so the first number of the feature map is 3 - 2 = 1.

# %%
kernel = np.array([[0, 0, 1], [0, 1, 0], [1, 0, 0]])
first = next(iter(st.convolution.steps(ring, kernel, bias=-2)))
print(first.window, "· kernel =", first.sum, "and with the bias", first.output)
assert (first.sum, first.output) == (3, 1)

# %% [markdown]
# ## All windows
#
# Sliding the kernel over the image is a cross-correlation; nine weights and one bias serve all 16
# positions. With a bias of -2 only a complete match survives ReLU: the output says *where* there
# is a rising diagonal. Pooling keeps that and forgets the exact pixel.


# %%
def network(image):
    """Return the feature map, and what remains after ReLU and after pooling."""
    feature_map = st.convolution.correlate(image, kernel, "valid") - 2
    activated = st.convolution.relu(feature_map)
    pooled = [st.convolution.pool(activated, 2, kind=kind) for kind in ("max", "average")]
    return feature_map, *pooled


for name, image in (("O", ring), ("X", cross)):
    feature_map, largest, average = network(image)
    print(name, feature_map, "largest:", largest, "average:", average, sep="\n")
    if name == "O":
        assert feature_map[0].tolist() == [1, -1, -2, -1]
        assert largest.tolist() == [[1, 0], [0, 1]]
        assert average.tolist() == [[0.25, 0], [0, 0.25]]
    else:
        assert largest.tolist() == [[0, 1], [1, 0]]
        assert average.tolist() == [[0, 0.5], [0.5, 0]]

# %% [markdown]
# An O has rising diagonals in the upper left and lower right, an X in the other two corners. Four
# numbers are left of 36, and one look at them is enough.
#
# ## Padding keeps the size, strides shrink it
#
# A frame of zeros gives the kernel room at the border: 6 x 6 stays 6 x 6. Two numbers of the
# lecture's slide are misprints; computed they are -11 and 11.

# %%
example = st.convolution.padding_example()
padded = st.convolution.correlate(example.image, example.kernel, mode=1)
print(padded)
assert padded.shape == (6, 6)
assert (padded[3, 0], padded[4, 4]) == (-11, 11)
assert st.convolution.output_size(6, 3) == 4
assert st.convolution.output_size(6, 3, stride=3) == 2
assert st.convolution.output_size(6, 3, padding="same") == 6

# %% [markdown]
# ## Colour
#
# A colour image has three channels, and a kernel a layer for each; their sums add up to one
# feature map.

# %%
rng = np.random.default_rng(0)
colour, layered = rng.integers(0, 9, (6, 6, 3)), rng.integers(-1, 2, (3, 3, 3))
at_once = st.convolution.correlate(colour, layered, "valid", channels=True)
by_channel = [st.convolution.correlate(colour[..., c], layered[..., c], "valid") for c in range(3)]
assert np.array_equal(at_once, np.sum(by_channel, axis=0))

# %% [markdown]
# ## Let it learn
#
# Nobody chooses kernels by hand. 1,600 images of O and X, of different sizes and places and with
# noise, train eight kernels; 400 others say how well.

# %%
data = st.load("ox")
figure = st.plots.samples(data.train.images, data.train.labels, data.class_names, n=10)
st.plots.save(figure, "figures/nthu_ox")
figure

# %%
keras.utils.set_random_seed(0)
model = st.Sequential(
    [
        layers.Input((6, 6, 1)),
        layers.Conv2D(8, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dense(2, activation="softmax"),
    ]
)
adam = optimizers.Adam(0.01)
model.compile(adam, "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(data.train.images, data.train.labels, epochs=20, batch_size=32, verbose=0)
loss, accuracy = model.evaluate(data.test.images, data.test.labels, verbose=0)
print(f"test accuracy {accuracy:.4f}")

# %% [markdown]
# What it found: look for strokes at an angle.

# %%
figure = st.plots.kernels(model.layers[0].kernel.numpy())
st.plots.save(figure, "figures/nthu_ox_kernels")
figure

# %%
answers = model.predict(np.stack([ring, cross])[..., None].astype("float32"), verbose=0)
print(answers.round(4))
assert answers.argmax(axis=1).tolist() == [0, 1]
assert accuracy >= 0.97
