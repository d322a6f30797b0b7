# The base image the sample's Dockerfile starts from.
FROM python:3.11.13-slim-bookworm
ENV PYTHONUNBUFFERED=1
