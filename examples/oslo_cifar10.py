# %% [markdown]
# # Ten kinds of things, in colour
#
# Source: M. Hjorth-Jensen, *Advanced machine learning for the physical sciences*, Oslo 2023
# (rows N14, N15).
#
# CIFAR-10: 60,000 photographs of 32 x 32 pixels in three colours. Animals and vehicles from all
# sides are harder than digits: three convolutions reach about 70 %, where guessing has 10 %.

# %%
import striate as st  # first: it selects the backend of Keras
import keras
from keras import layers

keras.utils.set_random_seed(0)
data = st.load("cifar10")
print(data, *data.provenance.get("notes", ()), sep="\n")
x_train, y_train = data.train.images, data.train.labels
x_test, y_test = data.test.images, data.test.labels
assert x_train.shape == (50_000, 32, 32, 3)
assert (x_train.min(), x_train.max()) == (0, 1)

# %% [markdown]
# Look at the data before anything else: 25 training images with the names of their classes.

# %%
figure = st.plots.samples(x_train, y_train, data.class_names, n=25)
st.plots.save(figure, "figures/oslo_cifar10_images")
figure

# %% [markdown]
# ## The convolutional part
#
# Rows and columns shrink, channels grow: from 32 x 32 x 3 to 4 x 4 x 64. What was colour and
# place becomes "how much of this pattern is about here".

# %%
model = st.Sequential(
    [
        layers.Input((32, 32, 3)),
        layers.Conv2D(32, (3, 3), activation="relu"),
        layers.MaxPooling2D((2, 2)),
        layers.Conv2D(64, (3, 3), activation="relu"),
        layers.MaxPooling2D((2, 2)),
        layers.Conv2D(64, (3, 3), activation="relu"),
    ]
)
print("output volume", model.output_shape)
assert model.output_shape == (None, 4, 4, 64)

# %% [markdown]
# ## And the part that decides
#
# Flattened to 1,024 numbers, a hidden layer of 64, and ten logits: numbers of any size, of which
# the softmax inside the loss makes probabilities. Labels stay class numbers with this loss.

# %%
model.add(layers.Flatten())
assert model.output_shape == (None, 1024)
model.add(layers.Dense(64, activation="relu"))
model.add(layers.Dense(10))
model.compile(
    optimizer="adam",
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
model.summary()

# %%
training = model.fit(x_train, y_train, epochs=10, validation_data=(x_test, y_test), verbose=2)

# %% [markdown]
# The two curves part: the training images are learned better and better, the test images hardly
# after the first epochs. More epochs would not help; dropout, augmentation or more images would.

# %%
figure = st.plots.history(training.history, "three convolutions on CIFAR-10", validation="test")
st.plots.save(figure, "figures/oslo_cifar10_history")
figure

# %%
result = st.evaluate(model, data)
print("test accuracy", result.accuracy)
print("verdict:", result.training.verdict, *result.training.reasons, sep="\n- ")

# %% [markdown]
# Cats and dogs are what it takes for each other most often.

# %%
figure = st.plots.confusion(result)
st.plots.save(figure, "figures/oslo_cifar10_confusion")
figure

# %%
figure = st.plots.kernels(model.layers[0].kernel.numpy())
st.plots.save(figure, "figures/oslo_cifar10_kernels")
figure

# %%
assert {result.most_confused(1)[0][0], result.most_confused(1)[0][1]} == {"cat", "dog"}
assert result.accuracy >= 0.69
