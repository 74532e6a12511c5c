"""Executes the steps of a Dockerfile in clean roots, without a container
engine: FROM, RUN, WORKDIR, COPY and ENV change the root; USER, CMD,
HEALTHCHECK and STOPSIGNAL are kept for the test that starts the image. Other
instructions are refused."""

import json
import re
import shlex
import shutil
from dataclasses import dataclass, field

import roots


@dataclass
class Image:
    root: roots.Root
    workdir: str = "/"
    user: str = "0:0"
    env: dict = field(default_factory=dict)
    command: list = None
    healthcheck: list = None
    stopsignal: str = None
    ports: list = field(default_factory=list)
    bases: list = field(default_factory=list)


def instructions(text):
    """Yields (INSTRUCTION, arguments)."""
    lines = [l for l in text.splitlines() if not re.match(r"\s*#", l)]
    for line in re.sub(r"\\\n", " ", "\n".join(lines)).splitlines():
        if line.strip():
            word, _, rest = line.strip().partition(" ")
            yield word.upper(), rest.strip()


def place(image, where):
    """The path on this machine of a path in the image."""
    inside = where if where.startswith("/") else f"{image.workdir}/{where}"
    return image.root.path / inside.lstrip("/")


def copy(image, arguments, context, stages):
    words = arguments.split()
    source_root = context
    if words[0].startswith("--from="):
        source_root = stages[words.pop(0).partition("=")[2]].root.path
    *sources, target = words
    into_folder = target.endswith("/")
    if len(sources) > 1 and not into_folder:
        raise AssertionError(f"COPY of several to one: {arguments}")
    for source in sources:
        found = source_root / source.lstrip("/")
        destination = place(image, target)
        if found.is_dir():
            shutil.copytree(found, destination, dirs_exist_ok=True)
            continue
        if into_folder:
            destination = destination / found.name
        destination.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(found, destination)


def build(dockerfile, context, suite):
    """Runs every stage; returns the image of the last one."""
    stages, image = {}, None
    for word, rest in instructions(dockerfile):
        if word == "FROM":
            base, _, name = rest.partition(" AS ")
            name = name or "container"
            image = stages[name] = Image(
                roots.base(suite).copy(f"stage-{name}"), bases=[base])
        elif word == "RUN":
            image.root.run(["/bin/sh", "-c", rest], env=image.env,
                           cwd=image.workdir)
        elif word == "WORKDIR":
            image.workdir = rest
            place(image, rest).mkdir(parents=True, exist_ok=True)
        elif word == "COPY":
            copy(image, rest, context, stages)
        elif word == "ENV":
            image.env.update(v.split("=", 1) for v in shlex.split(rest))
        elif word == "USER":
            image.user = rest
        elif word == "EXPOSE":
            image.ports.append(int(rest))
        elif word == "STOPSIGNAL":
            image.stopsignal = rest
        elif word == "CMD":
            image.command = json.loads(rest)
        elif word == "HEALTHCHECK":
            image.healthcheck = json.loads(rest.partition(" CMD ")[2])
        else:
            raise AssertionError(f"unknown instruction {word}")
    return image
