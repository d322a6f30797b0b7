"""Operations as callers see and steer them."""
