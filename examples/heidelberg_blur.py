# %% [markdown]
# # Blurring an image with a Gaussian
#
# Source: J. Marks, *Convolutional neural networks*, Heidelberg 2024 (row C7).
#
# Long before kernels were learned they were chosen. A Gaussian kernel averages each pixel with
# its neighbours: the wider the Gaussian, the more blurred the image. (Photograph: danielbuechele on
# Flickr, CC BY 2.0, as scikit-learn brings it.)

# %%
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import striate as st
from sklearn.datasets import load_sample_image

image = load_sample_image("china.jpg").mean(axis=2) / 255.0
image = image[60:316, 180:436]
image.shape

# %% [markdown]
# ## Wider is smoother
#
# Blurring with sigma keeps structures larger than sigma and removes the smaller ones, noise
# first. The brightness as a whole stays: the kernel's numbers add up to 1.

# %%
widths = [1, 2, 4, 8]
blurred = [st.convolution.gaussian_blur(image, sigma) for sigma in widths]
figure, panels = plt.subplots(1, 5, figsize=(10, 2.4), layout="constrained")
for axes, picture, sigma in zip(panels, [image, *blurred], [0, *widths], strict=True):
    axes.imshow(picture, cmap="gray", vmin=0, vmax=1)
    axes.set_title(f"σ = {sigma} px" if sigma else "original")
    axes.axis("off")
st.plots.save(figure, "figures/heidelberg_blur")

# %%
roughness = [float(np.abs(np.diff(picture)).mean()) for picture in (image, *blurred)]
print("mean step between neighbours:", ", ".join(f"{value:.4f}" for value in roughness))
assert all(after < before for before, after in pairwise(roughness))
assert all(abs(picture.mean() - image.mean()) < 0.005 for picture in blurred)

# %% [markdown]
# ## Three ways, one result
#
# By definition, every pixel of the kernel is multiplied with every pixel of the image. Fourier
# transforms turn the convolution into a product. And a Gaussian is a product of one along the
# rows and one along the columns, so two short convolutions do as well. All agree to rounding.

# %%
ways = {
    method: st.convolution.gaussian_blur(image, 4, method=method)
    for method in ("direct", "fft", "separable")
}
for method, picture in ways.items():
    print(f"{method:10s} differs by {np.abs(picture - ways['direct']).max():.0e}")

# %% [markdown]
# ## In frequencies
#
# The convolution theorem says what a blur is: a product with the kernel's own spectrum. That of a
# Gaussian is a Gaussian again, exp(-(2 pi f sigma)² / 2): the blur is a low-pass filter, the
# stronger the wider. So two blurs of widths a and b are one of width sqrt(a² + b²), as errors add
# in quadrature. Pixels sample a Gaussian of sigma = 1 coarsely: it is 0.7 % off at the highest
# frequency.


# %%
def kept(sigma):
    """Return which share of each horizontal frequency, in 1 / pixel, is left after a blur."""
    after = st.convolution.gaussian_blur(image, sigma, border="periodic", truncate=6)
    share = np.fft.rfft(after.mean(axis=0)) / np.fft.rfft(image.mean(axis=0))
    return np.fft.rfftfreq(image.shape[1]), np.abs(share)


figure, axes = plt.subplots(figsize=(6, 3.4), layout="constrained")
for sigma in widths:
    frequency, share = kept(sigma)
    (line,) = axes.plot(frequency, share, ".", label=f"σ = {sigma} px")
    gaussian = np.exp(-((2 * np.pi * frequency * sigma) ** 2) / 2)
    axes.plot(frequency, gaussian, color=line.get_color())
    print(f"sigma {sigma}: differs from a Gaussian by {np.abs(share - gaussian).max():.1e}")
axes.set(xlabel="frequency in 1 / pixel", ylabel="share that is left", xlim=(0, 0.5))
axes.legend(title="points: image, line: Gaussian")
st.plots.save(figure, "figures/heidelberg_blur_frequencies")

# %%
twice = st.convolution.gaussian_blur(st.convolution.gaussian_blur(image, 3), 4)
once = st.convolution.gaussian_blur(image, 5)
print(f"3 then 4 against 5: {np.abs(twice - once).max():.1e}")
assert np.abs(twice - once).max() < 1e-3
assert np.abs(kept(2)[1] - np.exp(-((2 * np.pi * frequency * 2) ** 2) / 2)).max() < 1e-6
assert np.abs(ways["fft"] - ways["direct"]).max() < 1e-12
assert np.abs(ways["separable"] - ways["direct"]).max() < 1e-12
