// The resource sharer: gives copies of descriptors to other processes of the same user, on a thread
// of its own, so that it serves while this process's JavaScript is busy or blocked.
//
// An offer is a duplicate of a descriptor under an unguessable key (32 random bytes), kept until it
// expires, and longer while a message that carries it is under way (hold). A receiver connects to
// our abstract socket and sends the key; it gets one byte, 1 with the descriptor (SCM_RIGHTS) or 0
// when there is no such offer. Both sides compare the other's user (SO_PEERCRED) first.
//
// What is offered stays open for its sake, and a peer would wait for the end of a connection that
// all have closed. So who offers says when it has closed the descriptor itself (release); then the
// offer ends when it was had as often as it was sent.
//
// Life: the thread starts with the first offer and ends with the last one, and closes its socket
// then. Limits: 64 receivers at a time, the oldest gives way; 5 s each; 64 bytes each. fork(2): the
// child starts with no offers and no thread; what it inherited of ours is closed.
#include "sharer.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "arguments.h"
#include "clock.h"
#include "descriptor-message.h"
#include "exports.h"
#include "socket-address.h"
#include "status.h"
#include "thread.h"

namespace multiprocess {
namespace {

constexpr size_t kClients = 64;
constexpr int64_t kPatience = 5'000;  // milliseconds for a receiver to say its key
constexpr size_t kStack = 256 * 1024;

struct Offer {
  int fd;
  int64_t expiry;
  int64_t sent;     // how often it was put into a message
  int64_t had;      // how often somebody fetched it
  bool released;    // who offers it has closed it
  int64_t messages = 0;  // under way: no time ends it

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
  int64_t sleepsUntil = 0;      // 0: until it is rung for
};

Sharer& sharer() {
  static auto* instance = new Sharer();
  return *instance;
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

// Answers a key; the lock is held, so that the descriptor stays open meanwhile. One byte never
// waits.
void serve(Sharer& self, const Client& client) {
  const auto found = self.offers.find(client.said);
  const bool known = found != self.offers.end();
  const char status = known ? 1 : 0;
  (void)sendMessage(client.fd, &status, 1, known ? &found->second.fd : nullptr, known ? 1 : 0, MSG_DONTWAIT);
  if (!known) return;
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

// Ends what is over; answers when next to look, or 0 when nothing is left to wait for. The lock is
// held.
int64_t tidy(Sharer& self, int64_t now) {
  int64_t next = 0;
  const auto sooner = [&next](int64_t when) { next = next == 0 ? when : std::min(next, when); };
  for (auto at = self.offers.begin(); at != self.offers.end();) {
    if (at->second.messages > 0) {
      at++;
    } else if (at->second.expiry <= now) {
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
    poll(polled.data(), polled.size(), next == 0 ? -1 : static_cast<int>(std::min<int64_t>(next - now, 1'000'000)));
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
  self.listening = listenAt(AF_UNIX, '\0' + address, 0, 128);
  int failure = self.listening < 0 ? -self.listening : 0;
  if (failure == 0 && pipe2(self.bell, O_CLOEXEC | O_NONBLOCK) != 0) failure = errno;
  if (failure == 0) failure = startThread("mp-sharer", kStack, run, nullptr);
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
  } else if (self.sleepsUntil == 0 || expiry < self.sleepsUntil) {
    ring(self);
  }
  return text(env, self.address + " " + key);
}

// sharerRenew(key, milliseconds) -> whether the offer is still there; then it stands as long again,
// and was sent once more
napi_value sharerRenew(napi_env env, napi_callback_info info) {
  Arguments<2> in(env, info);
  std::string key;
  double duration;
  if (!in.text(0, &key) || !in.number(1, &duration)) return answer(env, kBadArgument);
  Sharer& self = sharer();
  std::lock_guard<std::mutex> lock(self.lock);
  const auto found = self.offers.find(key);
  const int64_t now = milliseconds();
  if (found == self.offers.end() || (found->second.expiry <= now && found->second.messages == 0)) return answer(env, 0);
  found->second.expiry = std::max(found->second.expiry, now + static_cast<int64_t>(std::min(duration, 1e12)));
  found->second.sent++;
  return answer(env, 1);
}

// sharerHold(key, on, milliseconds): for a message that is under way no time ends it; when there is
// none any more, it stands as long
napi_value sharerHold(napi_env env, napi_callback_info info) {
  Arguments<3> in(env, info);
  std::string key;
  bool on;
  double duration;
  if (!in.text(0, &key) || !in.boolean(1, &on) || !in.number(2, &duration)) return answer(env, kBadArgument);
  Sharer& self = sharer();
  std::lock_guard<std::mutex> lock(self.lock);
  const auto found = self.offers.find(key);
  if (found == self.offers.end()) return answer(env, 0);
  found->second.messages += on ? 1 : -1;
  found->second.expiry = milliseconds() + static_cast<int64_t>(std::min(duration, 1e12));
  ring(self);
  return answer(env, 1);
}

// sharerRelease(key): who offers it has closed it, so the offer ends when it was had as often as it
// was sent
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

}  // namespace

bool sameUser(int fd) {
  ucred peer;
  socklen_t length = sizeof peer;
  return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 && peer.uid == geteuid();
}

int takeOwnOffer(const std::string& address, const std::string& key) {
  Sharer& self = sharer();
  std::lock_guard<std::mutex> lock(self.lock);
  if (self.address != address) return kElsewhere;
  const auto found = self.offers.find(key);
  if (found == self.offers.end()) return -ENOENT;
  const int copy = fcntl(found->second.fd, F_DUPFD_CLOEXEC, 0);
  if (copy < 0) return -errno;
  found->second.had++;
  if (found->second.done()) drop(self, found);
  if (self.offers.empty()) ring(self);
  return copy;
}

void exportSharer(Exports& out) {
  out.add("sharerOffer", sharerOffer);
  out.add("sharerRenew", sharerRenew);
  out.add("sharerHold", sharerHold);
  out.add("sharerRelease", sharerRelease);
  out.add("sharerStop", sharerStop);
}

}  // namespace multiprocess
