# %% [markdown]
# # Too little, too much, and what helps: clothes in three networks
#
# Source: J. Marks, *Convolutional neural networks*, Heidelberg 2024 (rows N3 to N6).
#
# Fashion-MNIST has the format of MNIST and ten kinds of clothes, which are harder to tell apart.
# The lecture prints three test accuracies: 87.7 % for two dense layers, which overtrain; 88.2 %
# with dropout, which do not; 91.4 % for a convolutional network, which does not either.

# %%
import striate as st  # first: it selects the backend of Keras
import keras
from keras import layers

data = st.load("fashion_mnist")
figure = st.plots.samples(data.train.images, data.train.labels, data.class_names, n=10)
st.plots.save(figure, "figures/heidelberg_clothes")
figure

# %%
results = {}


def train(name, stack, epochs, batch_size, loss="sparse_categorical_crossentropy"):
    """Train a stack of layers, and return its curves as a figure."""
    keras.utils.set_random_seed(0)
    model = st.Sequential([layers.Input(data.image_shape), *stack], name=name)
    model.compile("adam", loss, metrics=["accuracy"])
    training = model.fit(
        data.train.images,
        data.train.labels,
        epochs=epochs,
        batch_size=batch_size,
        validation_data=(data.test.images, data.test.labels),
        verbose=0,
    )
    results[name] = st.evaluate(model, data)
    print(f"{name}: test accuracy {results[name].accuracy}")
    print(results[name].training.verdict, *results[name].training.reasons, sep="\n- ")
    figure = st.plots.history(training.history, name, validation="test")
    st.plots.save(figure, f"figures/heidelberg_overtraining_{name}")
    return figure


# %% [markdown]
# ## Two dense layers
#
# Every pixel has a weight to each of 256 neurons. That is enough freedom to learn single training
# images: their loss goes on falling, while that of the test images turns up again. The network
# grows surer of its answers, the wrong ones included. (Its outputs are logits; the loss applies
# the softmax, which is the same thing.)

# %%
train(
    "dense",
    [layers.Flatten(), layers.Dense(256, activation="relu"), layers.Dense(10)],
    epochs=25,
    batch_size=128,
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
)

# %% [markdown]
# ## Dropout
#
# In each step half of the hidden neurons, chosen anew, are silent. No neuron can rely on another,
# so what they learn has to be useful by itself. The training loss, measured with the gaps, is now
# worse than before; the test loss no longer turns.

# %%
train(
    "dropout",
    [
        layers.Flatten(),
        layers.Dense(256, activation="relu"),
        layers.Dropout(0.5),
        layers.Dense(10, activation="softmax"),
    ],
    epochs=25,
    batch_size=128,
)

# %% [markdown]
# ## Convolution
#
# Kernels know that neighbouring pixels belong together, and that a zip is a zip wherever it is.
# What is built into a network need not be learned from examples: with about as many weights it is
# better on images that it has not seen.

# %%
train(
    "convolutional",
    [
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(64, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Dropout(0.25),
        layers.Flatten(),
        layers.Dense(128, activation="relu"),
        layers.Dropout(0.25),
        layers.Dense(10, activation="softmax"),
    ],
    epochs=10,
    batch_size=64,
)

# %% [markdown]
# ## The verdicts
#
# Overtrained means: the training images are answered better than the test images, by more than
# chance and by four in a hundred or more; or the test loss has risen by a tenth.

# %%
for name, result in results.items():
    training = result.training
    print(f"{name:14s} {result.accuracy}  gap {training.gap:+.3f}  {training.verdict}")
assert [result.training.verdict for result in results.values()] == ["overtrained", "good", "good"]
assert results["dense"].accuracy >= 0.877
assert results["dropout"].accuracy >= 0.882
assert results["convolutional"].accuracy >= 0.914
