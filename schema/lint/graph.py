"""Loops of a graph: its strongly connected components that can be walked round."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def cycles(successors: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """The loops, each as its nodes in the order of ``successors``; loops that share a node are one.

    Tarjan's algorithm with a stack of its own: no graph is too deep.
    """
    numbers: dict[str, int] = {}
    lowest: dict[str, int] = {}
    path: list[str] = []
    on_path: set[str] = set()
    found: list[set[str]] = []
    for root in successors:
        if root in numbers:
            continue
        stack = [(root, iter(successors[root]))]
        numbers[root] = lowest[root] = len(numbers)
        path.append(root)
        on_path.add(root)
        while stack:
            node, following = stack[-1]
            for target in following:
                if target not in numbers:
                    numbers[target] = lowest[target] = len(numbers)
                    path.append(target)
                    on_path.add(target)
                    stack.append((target, iter(successors[target])))
                    break
                if target in on_path:
                    lowest[node] = min(lowest[node], numbers[target])
            else:
                stack.pop()
                if stack:
                    lowest[stack[-1][0]] = min(lowest[stack[-1][0]], lowest[node])
                if lowest[node] == numbers[node]:
                    component = set(path[path.index(node) :])
                    del path[-len(component) :]
                    on_path -= component
                    if len(component) > 1 or node in successors[node]:
                        found.append(component)
    order = {name: index for index, name in enumerate(successors)}
    ordered = [sorted(component, key=order.__getitem__) for component in found]
    return sorted(ordered, key=lambda component: order[component[0]])
