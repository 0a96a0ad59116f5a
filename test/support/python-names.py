"""Prints the public names of Python's multiprocessing as JSON: module -> name -> its public methods and attributes.

Public is what a module lists in __all__, or without one what it defines itself and what the documentation of 3.11 names.
Run it with Python 3.11: python3 test/support/python-names.py > test/fixtures/python-names.json
"""
import importlib
import inspect
import json

MODULES = [
    '', 'connection', 'context', 'dummy', 'forkserver', 'heap', 'managers', 'pool', 'popen_fork', 'popen_forkserver',
    'popen_spawn_posix', 'process', 'queues', 'reduction', 'resource_sharer', 'resource_tracker', 'shared_memory',
    'sharedctypes', 'spawn', 'synchronize', 'util',
]


# What the documentation names beside __all__.
DOCUMENTED = {
    'multiprocessing.connection': ['Connection', 'answer_challenge', 'deliver_challenge'],
    'multiprocessing.heap': ['Arena', 'Heap'],
    'multiprocessing.managers': ['NamespaceProxy'],
    'multiprocessing.pool': ['ApplyResult', 'AsyncResult', 'IMapIterator', 'MaybeEncodingError'],
    'multiprocessing.queues': ['Empty', 'Full'],
    'multiprocessing.resource_sharer': ['stop'],
    'multiprocessing.resource_tracker': ['ResourceTracker'],
    'multiprocessing.sharedctypes': ['Synchronized', 'SynchronizedArray', 'SynchronizedString'],
    'multiprocessing.synchronize': ['Barrier'],
    'multiprocessing.util': ['Finalize', 'DEBUG', 'INFO'],
}
# Made when they are bound, so that a class does not show them.
BOUND = {
    'Lock': ['acquire', 'release'], 'RLock': ['acquire', 'release'], 'Semaphore': ['acquire', 'release'],
    'BoundedSemaphore': ['acquire', 'release'], 'Condition': ['acquire', 'release'],
    'BaseManager': ['shutdown'], 'BaseProxy': ['_callmethod', '_getvalue'],
    'Barrier': ['abort', 'broken', 'n_waiting', 'parties', 'reset', 'wait'],
}
# Every context has the same: that of the base class is enough.
ALIKE = {'DefaultContext', 'SpawnContext', 'ForkContext', 'ForkServerContext', 'SpawnProcess', 'ForkProcess', 'ForkServerProcess'}


def members(value):
    if not inspect.isclass(value) or value.__name__ in ALIKE or issubclass(value, Exception):
        return []
    found = set(BOUND.get(value.__name__, []))
    for base in value.__mro__:
        if base.__module__.startswith('multiprocessing'):
            found |= {name for name in vars(base) if not name.startswith('_')}
    return sorted(found - {'reducer', 'DupFd'})


def names(module):
    listed = getattr(module, '__all__', None)
    if not listed:
        listed = [
            name for name, value in vars(module).items()
            if not name.startswith('_') and not inspect.ismodule(value) and getattr(value, '__module__', None) == module.__name__
        ]
    listed = {name for name in listed if not name.startswith('_')} | set(DOCUMENTED.get(module.__name__, []))
    return {name: members(getattr(module, name, None)) for name in sorted(listed) if name != 'reducer'}


result = {}
for short in MODULES:
    full = 'multiprocessing' + ('.' + short if short else '')
    found = names(importlib.import_module(full))
    if short in ('', 'dummy'):
        found = {name: [] for name in found}
    found.pop('main', None)
    result[full] = found
print(json.dumps(result, indent=1, sort_keys=True))
