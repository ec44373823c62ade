#include "support/mail_server.h"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include "core/files.h"

namespace veer::test {
namespace {

/// What Debian's Exim works as.
const passwd& mail_user() {
  const passwd* const user = getpwnam("Debian-exim");
  if (user == nullptr) throw std::runtime_error("the user Debian-exim is missing: run script/packages test");
  return *user;
}

std::string program() {
  std::string path = std::string(VEER_MAIL_SERVER) + "/usr/sbin/exim4";
  if (access(path.c_str(), X_OK) != 0)
    throw std::runtime_error(path + " is missing: run script/packages test");
  return path;
}

}  // namespace

MailServer::MailServer(MailTls tls) : tls_(tls), port_(free_port()) {
  fs::permissions(folder_.path(), fs::perms(0755));
  const Certificate own = authority_.issue({.name = "localhost", .hosts = {"DNS:localhost", "IP:127.0.0.1"}});
  write_file(at("server.pem"), own.certificate, 0644);
  write_file(at("server.key"), own.key);
  for (const char* name : {"spool", "mail"}) fs::create_directory(at(name));
  for (const char* name : {"main", "panic", "reject"}) write_file(at(std::string("log.") + name), "");
  const passwd& user = mail_user();
  for (const char* name : {"spool", "mail", "server.key", "log.main", "log.panic", "log.reject"})
    if (chown(at(name).c_str(), user.pw_uid, user.pw_gid) != 0)
      throw std::runtime_error("the mail server's files cannot be given to it");
  const std::string folder = folder_.path().native();
  write_file(
      at("exim.conf"),
      fmt::format(
          "exim_path = {}\ndeliver_drop_privilege = true\nprimary_hostname = mail.example.org\n"
          "spool_directory = {}/spool\nlog_file_path = {}/log.%s\npid_file_path = {}/pid\nkeep_environment "
          "=\n"
          "message_size_limit = 1M\nsmtp_accept_max = 20\nrecipient_unqualified_hosts = \n{}"
          "acl_smtp_mail = sender\nacl_smtp_rcpt = recipient\nacl_smtp_data = content\n"
          "begin acl\n"
          "sender:\n  defer condition = ${{if exists{{{}/full}}}}\n        message = 452 no room\n  accept\n"
          "recipient:\n{}"
          "  defer local_parts = grey\n        message = come back later\n"
          "  deny local_parts = nobody\n       message = no such mailbox\n"
          "  accept domains = example.org : *.example.org\n  deny\n"
          "content:\n  deny condition = ${{if match{{$h_subject:}}{{Unwanted}}}}\n"
          "       message = we want none of this\n"
          "  accept delay = ${{if exists{{{}/slow}}{{6s}}{{0s}}}}\n"
          "begin routers\nall:\n  driver = accept\n  transport = box\n"
          "begin transports\nbox:\n  driver = appendfile\n  directory = {}/mail\n  envelope_to_add\n"
          "  delivery_date_add\n  batch_max = 100\n  create_directory = false\n"
          "begin authenticators\nplain:\n  driver = plaintext\n  public_name = PLAIN\n  server_prompts = :\n"
          "  server_condition = ${{if and{{{{eq{{$auth2}}{{{}}}}}{{eq{{$auth3}}{{{}}}}}}}}}\n",
          program(), folder, folder, folder,
          tls_ == MailTls::none
              ? std::string("tls_advertise_hosts =\n")
              : fmt::format(
                    "tls_advertise_hosts = *\ntls_certificate = {}/server.pem\ntls_privatekey = "
                    "{}/server.key\nauth_advertise_hosts = ${{if eq{{$tls_in_cipher}}{{}}{{}}{{*}}}}\n{}",
                    folder, folder,
                    tls_ == MailTls::at_once ? fmt::format("tls_on_connect_ports = {}\n", port_) : ""),
          folder, tls_ == MailTls::none ? "" : "  deny !authenticated = *\n       message = sign in first\n",
          folder, folder, kUser, kPassword),
      0644);
  start();
}

void MailServer::start() {
  process_.start(
      {program(), "-C", at("exim.conf").native(), "-bdf", "-oX", fmt::format("127.0.0.1.{}", port_)},
      at("out"));
  wait_until([&] { return is_listening(port_) || process_.has_ended(); });
  if (process_.has_ended()) throw std::runtime_error("Exim does not start: " + text_in(at("out")) + log());
}

void MailServer::stop() { process_.stop(); }

std::vector<std::string> MailServer::mails() const {
  std::vector<std::pair<fs::file_time_type, std::string>> found;
  for (const auto& file : fs::directory_iterator(at("mail")))
    if (file.path().filename().native().front() == 'q')
      found.emplace_back(file.last_write_time(), text_in(file.path()));
  std::sort(found.begin(), found.end());
  std::vector<std::string> mails;
  for (auto& [time, text] : found) mails.push_back(std::move(text));
  return mails;
}

std::vector<std::string> MailServer::wait_for(std::size_t count) const {
  wait_until([&] { return mails().size() >= count; });
  return mails();
}

void MailServer::fill_up() { write_file(at("full"), "", 0644); }
void MailServer::slow_down() { write_file(at("slow"), "", 0644); }
void MailServer::make_room() { remove_file(at("full")); }

std::string MailServer::log() const { return text_in(at("log.main")) + text_in(at("log.panic")); }

}  // namespace veer::test
