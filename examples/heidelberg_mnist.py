# %% [markdown]
# # Handwritten digits with one convolution
#
# Source: J. Marks, *Convolutional neural networks*, Heidelberg 2024 (rows N1, N2, N7 a, b, c, e,
# N15).
#
# 60,000 images of digits to learn from, 10,000 to be tested on, 28 x 28 grey pixels each. One
# convolution, one pooling, two dense layers and three epochs are enough for 98 %.

# %%
import striate as st  # first: it selects the backend of Keras
import keras
from keras import layers

keras.utils.set_random_seed(0)
data = st.load("mnist")
print(data)

# %% [markdown]
# ## The data as a network wants them
#
# Four axes, (sample, row, column, channel), the one channel of grey included; pixels between 0
# and 1; labels as rows with a single 1 at the class.

# %%
x_train, x_test = data.train.images, data.test.images
y_train = keras.utils.to_categorical(data.train.labels, 10)
y_test = keras.utils.to_categorical(data.test.labels, 10)
print(x_train.shape, y_train.shape, x_train.min(), x_train.max())
assert x_train.shape == (60_000, 28, 28, 1)
assert y_test.shape == (10_000, 10)

# %%
figure = st.plots.samples(x_train, data.train.labels, data.class_names, n=15)
st.plots.save(figure, "figures/heidelberg_mnist_images")
figure

# %% [markdown]
# ## The network
#
# 32 kernels of 3 x 3 turn 28 x 28 pixels into 26 x 26 x 32 numbers: no padding, so the border is
# lost. Pooling keeps the largest of every 2 x 2. Of the 173,738 parameters only 320 belong to the
# convolution; the first dense layer has nearly all others.

# %%
model = st.Sequential(
    [
        layers.Input((28, 28, 1)),
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dense(32, activation="relu"),
        layers.Dense(10, activation="softmax"),
    ]
)
model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
model.summary()
assert model.count_params() == 173_738

# %% [markdown]
# ## Training: three times through all images, 64 at a time
#
# The weights change after every batch. Loss and accuracy of the training images are averages over
# an epoch *while* the network learns, which is why those of the test images can be better.

# %%
training = model.fit(
    x_train, y_train, epochs=3, batch_size=64, validation_data=(x_test, y_test), verbose=2
)

# %%
figure = st.plots.history(training.history, "one convolution on MNIST", validation="test")
st.plots.save(figure, "figures/heidelberg_mnist_history")
figure

# %% [markdown]
# ## How good is it?
#
# An accuracy measured on 10,000 images is uncertain by about 0.15 %; differences between networks
# smaller than that mean nothing.

# %%
result = st.evaluate(model, data)
print("test accuracy", result.accuracy)
for true, found, count, share in result.most_confused(3):
    print(f"{true} taken for {found}: {count:.0f} times, {share:.1%} of them")

# %%
figure = st.plots.confusion(result)
st.plots.save(figure, "figures/heidelberg_mnist_confusion")
figure

# %% [markdown]
# Some test images with the answers, and those mistakes that the network was surest of. On many
# of them two people would not agree either.

# %%
figure = st.plots.predictions(result, x_test, n=10)
st.plots.save(figure, "figures/heidelberg_mnist_predictions")
figure

# %%
figure = st.plots.mistakes(result, x_test, n=10)
st.plots.save(figure, "figures/heidelberg_mnist_mistakes")
figure

# %% [markdown]
# ## Weights of the output layer
#
# Each class is a row: which of the 32 hidden neurons speak for it, which against it.

# %%
figure = st.plots.output_weights(model.layers[-1].kernel.numpy(), data.class_names)
st.plots.save(figure, "figures/heidelberg_mnist_weights")
figure

# %%
assert result.confusion.sum() == 10_000
assert result.accuracy >= 0.975
