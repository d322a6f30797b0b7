"""The images that the stack makes: base images from Debian packages, and two from own programs."""

from devstack.images.parts import parts

__all__ = ["parts"]
