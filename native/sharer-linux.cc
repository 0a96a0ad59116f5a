// The resource sharer: gives copies of descriptors to other processes of the same user, on a thread of its own, so that it
// serves while this process's JavaScript is busy or blocked.
//
// An offer is a duplicate of a descriptor under an unguessable key (32 random bytes), kept until it expires. A receiver
// connects to our abstract socket and sends the key; it gets one byte, 1 with the descriptor (SCM_RIGHTS) or 0 when there
// is no such offer. Both sides compare the other's user (SO_PEERCRED) first.
//
// What is offered stays open for its sake, and a peer would wait for the end of a connection that all have closed. So who
// offers says when it has closed the descriptor itself (release); then the offer ends when it was had as often as it was sent.
//
// Life: the thread starts with the first offer and ends with the last one, and closes its socket then.
// Limits: 64 receivers at a time, the oldest gives way; 5 s each; 64 bytes each.
// fork(2): the child starts with no offers and no thread; what it inherited of ours is closed.
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "arguments.h"
#include "exports.h"
#include "status.h"

namespace multiprocess {
namespace {

constexpr size_t kKey = 64;             // hexadecimal digits
constexpr size_t kClients = 64;
constexpr int64_t kPatience = 5'000;    // milliseconds for a receiver to say its key
constexpr size_t kStack = 256 * 1024;

struct Offer {
  int fd;
  int64_t expiry;
  int64_t sent;     // how often it was put into a message
  int64_t had;      // how often somebody fetched it
  bool released;    // who offers it has closed it

  bool done() const { return released && had >= sent; }
};

struct Client {
  int fd;
  int64_t expiry;
  std::string said;
};

// Never destroyed: the thread uses it until the process is gone.
struct Sharer {
  std::mutex lock;
  std::unordered_map<std::string, Offer> offers;
  std::vector<Client> clients;  // the thread's alone, and the child's of a fork
  std::string address;          // without the leading NUL; empty while no thread runs
  int listening = -1;
  int bell[2] = {-1, -1};       // wakes the thread from poll
  int64_t sleepsUntil = 0;
};

Sharer& sharer() {
  static auto* instance = new Sharer();
  return *instance;
}

int64_t milliseconds() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1'000'000;
}

bool randomHex(size_t digits, std::string* out) {
  unsigned char bytes[kKey / 2];
  const size_t count = digits / 2;
  for (size_t filled = 0; filled < count;) {
    const ssize_t got = getrandom(bytes + filled, count - filled, 0);
    if (got < 0 && errno != EINTR) return false;
    if (got > 0) filled += static_cast<size_t>(got);
  }
  out->clear();
  for (size_t i = 0; i < count; i++) {
    out->push_back("0123456789abcdef"[bytes[i] >> 4]);
    out->push_back("0123456789abcdef"[bytes[i] & 15]);
  }
  return true;
}

socklen_t fill(const std::string& address, sockaddr_un* out) {
  *out = {};
  out->sun_family = AF_UNIX;
  memcpy(out->sun_path + 1, address.data(), address.size());
  return static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + address.size());
}

bool sameUser(int fd) {
  ucred peer;
  socklen_t length = sizeof peer;
  return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 && peer.uid == geteuid();
}

// Closes all that the sharer has open; the lock is held.
void shutDown(Sharer& self) {
  for (auto& [key, offer] : self.offers) close(offer.fd);
  for (Client& client : self.clients) close(client.fd);
  for (int fd : {self.listening, self.bell[0], self.bell[1]}) {
    if (fd >= 0) close(fd);
  }
  self.offers.clear();
  self.clients.clear();
  self.address.clear();
  self.listening = self.bell[0] = self.bell[1] = -1;
}

void drop(Sharer& self, std::unordered_map<std::string, Offer>::iterator offer) {
  close(offer->second.fd);
  self.offers.erase(offer);
}

// Answers a key; the lock is held, so that the descriptor stays open meanwhile. One byte never waits.
void serve(Sharer& self, const Client& client) {
  const auto found = self.offers.find(client.said);
  char status = found == self.offers.end() ? 0 : 1;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  iovec part{&status, 1};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (status == 1) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &found->second.fd, sizeof(int));
  }
  while (sendmsg(client.fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && errno == EINTR) {
  }
  if (status == 0) return;
  found->second.had++;
  if (found->second.done()) drop(self, found);
}

// Reads what a receiver says; whether it is done with.
bool hear(Sharer& self, Client& client) {
  char text[kKey];
  const ssize_t got = recv(client.fd, text, kKey - client.said.size(), MSG_DONTWAIT);
  if (got < 0) return errno != EAGAIN && errno != EINTR;
  if (got == 0) return true;
  client.said.append(text, static_cast<size_t>(got));
  if (client.said.size() < kKey) return false;
  serve(self, client);
  return true;
}

void welcome(Sharer& self, int64_t now) {
  const int fd = accept4(self.listening, nullptr, nullptr, SOCK_CLOEXEC);
  if (fd < 0) return;
  if (!sameUser(fd)) {
    close(fd);
    return;
  }
  if (self.clients.size() == kClients) {
    close(self.clients.front().fd);
    self.clients.erase(self.clients.begin());
  }
  self.clients.push_back({fd, now + kPatience, ""});
}

// Ends what is over; answers when next to look, or 0 when nothing is left to wait for. The lock is held.
int64_t tidy(Sharer& self, int64_t now) {
  int64_t next = 0;
  const auto sooner = [&next](int64_t when) { next = next == 0 ? when : std::min(next, when); };
  for (auto at = self.offers.begin(); at != self.offers.end();) {
    if (at->second.expiry <= now) {
      close(at->second.fd);
      at = self.offers.erase(at);
    } else {
      sooner((at++)->second.expiry);
    }
  }
  for (size_t i = self.clients.size(); i-- > 0;) {
    if (self.clients[i].expiry <= now || self.offers.empty()) {
      close(self.clients[i].fd);
      self.clients.erase(self.clients.begin() + static_cast<ptrdiff_t>(i));
    } else {
      sooner(self.clients[i].expiry);
    }
  }
  return next;
}

void* run(void*) {
  Sharer& self = sharer();
  std::unique_lock<std::mutex> lock(self.lock);
  for (;;) {
    const int64_t now = milliseconds();
    const int64_t next = tidy(self, now);
    if (self.offers.empty()) {
      shutDown(self);
      return nullptr;
    }
    std::vector<pollfd> polled{{self.listening, POLLIN, 0}, {self.bell[0], POLLIN, 0}};
    for (const Client& client : self.clients) polled.push_back({client.fd, POLLIN, 0});
    self.sleepsUntil = next;
    lock.unlock();
    poll(polled.data(), polled.size(), static_cast<int>(std::min<int64_t>(next - now, 1'000'000)));
    lock.lock();
    char rung[64];
    if (polled[1].revents != 0) (void)!read(self.bell[0], rung, sizeof rung);
    for (size_t i = self.clients.size(); i-- > 0;) {
      if (polled[i + 2].revents == 0 || !hear(self, self.clients[i])) continue;
      close(self.clients[i].fd);
      self.clients.erase(self.clients.begin() + static_cast<ptrdiff_t>(i));
    }
    if (polled[0].revents != 0) welcome(self, milliseconds());
  }
}

// Starts the thread; the lock is held. 0, or a negated errno.
int start(Sharer& self) {
  static const bool hooked = [] {
    pthread_atfork([] { sharer().lock.lock(); }, [] { sharer().lock.unlock(); },
                   [] {
                     shutDown(sharer());
                     sharer().lock.unlock();
                   });
    return true;
  }();
  (void)hooked;
  std::string random;
  if (!randomHex(32, &random)) return -errno;
  const std::string address = "multiprocess-" + std::to_string(getpid()) + "-" + random;
  sockaddr_un name;
  const socklen_t length = fill(address, &name);
  self.listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  int failure = 0;
  if (self.listening < 0 || bind(self.listening, reinterpret_cast<sockaddr*>(&name), length) != 0 || listen(self.listening, 128) != 0 ||
      pipe2(self.bell, O_CLOEXEC | O_NONBLOCK) != 0) {
    failure = errno;
  }
  if (failure == 0) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, kStack);
    sigset_t all, before;  // signals are for Node's threads
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    failure = pthread_create(&thread, &attributes, run, nullptr);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    pthread_attr_destroy(&attributes);
  }
  if (failure == 0) self.address = address;
  return -failure;
}

void ring(Sharer& self) {
  if (self.bell[1] >= 0) (void)!write(self.bell[1], "", 1);
}

napi_value text(napi_env env, const std::string& value) {
  napi_value result = nullptr;
  napi_create_string_utf8(env, value.data(), value.size(), &result);
  return result;
}

// sharerOffer(fd, milliseconds, released) -> "address key", or a refusal
napi_value sharerOffer(napi_env env, napi_callback_info info) {
  Arguments<3> in(env, info);
  int32_t fd;
  double duration;
  bool released;
  if (!in.int32(0, &fd) || !in.number(1, &duration) || !in.boolean(2, &released) || !(duration > 0)) return answer(env, kBadArgument);
  std::string key;
  if (!randomHex(kKey, &key)) return answer(env, -errno);
  Sharer& self = sharer();
  std::lock_guard<std::mutex> lock(self.lock);
  const int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (copy < 0) return answer(env, -errno);
  const int64_t expiry = milliseconds() + static_cast<int64_t>(std::min(duration, 1e12));
  self.offers[key] = {copy, expiry, 1, 0, released};
  if (self.address.empty()) {
    const int failure = start(self);
    if (failure != 0) {
      shutDown(self);
      return answer(env, failure);
    }
  } else if (expiry < self.sleepsUntil) {
    ring(self);
  }
  return text(env, self.address + " " + key);
}

// sharerRenew(key, milliseconds) -> whether the offer is still there; then it stands as long again, and was sent once more
napi_value sharerRenew(napi_env env, napi_callback_info info) {
  Arguments<2> in(env, info);
  std::string key;
  double duration;
  if (!in.text(0, &key) || !in.number(1, &duration)) return answer(env, kBadArgument);
  Sharer& self = sharer();
  std::lock_guard<std::mutex> lock(self.lock);
  const auto found = self.offers.find(key);
  const int64_t now = milliseconds();
  if (found == self.offers.end() || found->second.expiry <= now) return answer(env, 0);
  found->second.expiry = std::max(found->second.expiry, now + static_cast<int64_t>(std::min(duration, 1e12)));
  found->second.sent++;
  return answer(env, 1);
}

// sharerRelease(key): who offers it has closed it, so the offer ends when it was had as often as it was sent
napi_value sharerRelease(napi_env env, napi_callback_info info) {
  Arguments<1> in(env, info);
  std::string key;
  if (!in.text(0, &key)) return answer(env, kBadArgument);
  Sharer& self = sharer();
  std::lock_guard<std::mutex> lock(self.lock);
  const auto found = self.offers.find(key);
  if (found == self.offers.end()) return answer(env, 0);
  found->second.released = true;
  if (found->second.done()) drop(self, found);
  if (self.offers.empty()) ring(self);
  return answer(env, 1);
}

// sharerStop(): withdraws every offer, and with the last one the thread ends
napi_value sharerStop(napi_env env, napi_callback_info) {
  Sharer& self = sharer();
  std::lock_guard<std::mutex> lock(self.lock);
  for (auto& [key, offer] : self.offers) close(offer.fd);
  self.offers.clear();
  ring(self);
  return answer(env, 0);
}

// Waits until the socket is ready; false when the time is over.
bool await(int fd, short events, int64_t end) {
  for (;;) {
    pollfd one{fd, events, 0};
    const int64_t left = end - milliseconds();
    const int ready = poll(&one, 1, static_cast<int>(std::max<int64_t>(0, left)));
    if (ready > 0) return true;
    if (ready == 0 || errno != EINTR) return false;
  }
}

int fetch(const std::string& address, const std::string& key, int64_t end) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  struct Closing {
    int fd;
    ~Closing() { close(fd); }
  } closing{fd};
  sockaddr_un name;
  const socklen_t length = fill(address, &name);
  // The backlog is long and the thread quick: connect(2) waits for no event, only for a full backlog.
  timeval patience{std::max<int64_t>(1, (end - milliseconds()) / 1000), 0};
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  while (connect(fd, reinterpret_cast<sockaddr*>(&name), length) != 0) {
    if (errno == EAGAIN) return -ETIMEDOUT;
    if (errno != EINTR) return -errno;
  }
  if (!sameUser(fd)) return -EACCES;
  if (send(fd, key.data(), key.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(key.size())) return -ECONNRESET;
  if (!await(fd, POLLIN, end)) return -ETIMEDOUT;
  char status = 0;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
  iovec part{&status, 1};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t got;
  do got = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
  while (got < 0 && errno == EINTR);
  if (got < 0) return -errno;
  if (got == 0) return -ECONNRESET;
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header == nullptr || header->cmsg_type != SCM_RIGHTS || header->cmsg_len != CMSG_LEN(sizeof(int))) {
    return status == 0 ? -ENOENT : -EMFILE;  // the kernel drops what we have no room for
  }
  int given;
  memcpy(&given, CMSG_DATA(header), sizeof given);
  return given;
}

// sharerFetch(address, key, milliseconds) -> fd. Blocks for the answer of the other process's thread.
napi_value sharerFetch(napi_env env, napi_callback_info info) {
  Arguments<3> in(env, info);
  std::string address, key;
  double patience;
  if (!in.text(0, &address) || !in.text(1, &key) || !in.number(2, &patience) || key.size() != kKey || address.empty() ||
      address.size() > 100) {
    return answer(env, kBadArgument);
  }
  Sharer& self = sharer();
  {
    std::lock_guard<std::mutex> lock(self.lock);
    const auto found = self.address == address ? self.offers.find(key) : self.offers.end();
    if (found != self.offers.end()) {
      const int copy = fcntl(found->second.fd, F_DUPFD_CLOEXEC, 0);
      if (copy < 0) return answer(env, -errno);
      found->second.had++;
      if (found->second.done()) drop(self, found);
      if (self.offers.empty()) ring(self);
      return answer(env, copy);
    }
    if (self.address == address) return answer(env, -ENOENT);
  }
  return answer(env, fetch(address, key, milliseconds() + static_cast<int64_t>(std::min(patience, 1e9))));
}

}  // namespace

void exportSharer(Exports& out) {
  out.add("sharerOffer", sharerOffer);
  out.add("sharerRenew", sharerRenew);
  out.add("sharerRelease", sharerRelease);
  out.add("sharerStop", sharerStop);
  out.add("sharerFetch", sharerFetch);
}

}  // namespace multiprocess
