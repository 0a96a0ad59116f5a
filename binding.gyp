{
  'targets': [
    {
      'target_name': 'multiprocess',
      'sources': [
        'native/addon.cc',
        'native/environment.cc',
      ],
      'defines': ['NAPI_VERSION=9'],
      'conditions': [
        ['OS=="linux"', {
          'sources': [
            'native/channel-linux.cc',
            'native/descriptor-message-linux.cc',
            'native/descriptors-linux.cc',
            'native/doorbell-linux.cc',
            'native/estate-linux.cc',
            'native/fork-end-linux.cc',
            'native/fork-exit-linux.cc',
            'native/fork-linux.cc',
            'native/fork-loop-linux.cc',
            'native/fork-memory-linux.cc',
            'native/fork-signals-linux.cc',
            'native/fork-tasks-linux.cc',
            'native/fork-threads-linux.cc',
            'native/futex-linux.cc',
            'native/lifeline-linux.cc',
            'native/mapping-linux.cc',
            'native/poll-handle-linux.cc',
            'native/proc-file-linux.cc',
            'native/process-linux.cc',
            'native/sharer-fetch-linux.cc',
            'native/sharer-linux.cc',
            'native/socket-linux.cc',
            'native/wait-async-linux.cc',
            'native/waiter-linux.cc',
            'native/watcher-linux.cc',
          ],
          # nodelete: waiter threads outlive the environment that started them, so the code must never be unloaded,
          # which Node does when the last worker thread that used the addon ends.
          'ldflags': ['-Wl,-z,nodelete', '-Wl,-z,now'],
        }],
      ],
      'cflags_cc!': ['-std=gnu++17'],
      'cflags_cc': ['-std=gnu++20', '-fvisibility=hidden', '-Wall', '-Wextra', '-Wno-unused-parameter', '-Wno-cast-function-type'],
    },
  ],
}
