package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"

	"sekisho/cmd/internal/load"
)

// The peers' configurations of the job. NAME in capitals stands for what a run
// puts there.
const (
	sekishoSite = `listen: {auth: ["127.0.0.1:PORT"]}
admin: {socket: DIR/admin.sock}
store: {path: DIR/sekisho.db}
log: {level: error}
policy: asahi-net
nas:
  bras: {source: 127.0.0.1, secret: "NAS", area: tokyo, profile: filter-id, require-message-authenticator: require}
aaa:
  servers:
    home: {address: 127.0.0.1, auth-port: HOME0, acct-port: 0, secret: "AAA", require-message-authenticator: require}
  pools:
    main: {servers: [home]}
  realms: {"*": main}
`

	// MODULES and DECISION are what the two ways of knowing a subscriber differ in.
	freeradiusConf = `prefix = /usr
libdir = /usr/lib/freeradius
name = freeradius
confdir = DIR
logdir = DIR
run_dir = DIR
pidfile = DIR/pid
max_request_time = 30
cleanup_delay = CLEANUP
max_requests = 1048576
proxy_requests = yes
log {
	destination = files
	file = DIR/radius.log
	auth = no
}
security {
	reject_delay = 0
	status_server = no
}
thread pool {
	start_servers = 4
	max_servers = 4
	min_spare_servers = 1
	max_spare_servers = 4
	max_queue_size = 65536
	auto_limit_acct = no
}
client bras {
	ipaddr = 127.0.0.1
	secret = "NAS"
	require_message_authenticator = yes
}
proxy server {
	default_fallback = no
}
home_server home {
	type = auth
	ipaddr = 127.0.0.1
	port = HOME0
	secret = "AAA"
	require_message_authenticator = yes
	response_window = 3
	status_check = none
}
home_server_pool main {
	type = fail-over
	home_server = home
}
realm aaa {
	auth_pool = main
	nostrip
}
modules {
MODULES}
server default {
	listen {
		type = auth
		ipaddr = 127.0.0.1
		port = PORT
		recv_buff = 4194304
	}
	authorize {
		update control {
			Proxy-To-Realm := "aaa"
		}
	}
	post-auth {
		update reply {
			Filter-Id !* ANY
		}
DECISION	}
}
`
	// by looking every subscriber up in memory
	filesModule   = "\tfiles {\n\t\tpostauth_usersfile = DIR/users\n\t\tkey = \"%{User-Name}\"\n\t}\n"
	filesDecision = "\t\tfiles\n"
	// from the name alone: no look-up
	regexDecision = "\t\tif (&User-Name !~ /^f\\./) {\n\t\t\tupdate reply {\n\t\t\t\tFilter-Id := \"op25b\"\n\t\t\t}\n\t\t}\n"

	radsecproxyConf = `ListenUDP 127.0.0.1:PORT
LogLevel 3
LogDestination file://DIR/radsecproxy.log
rewrite open {
	removeAttribute 11
}
rewrite block {
	removeAttribute 11
	addAttribute 11:op25b
}
client bras {
	host 127.0.0.1
	type udp
	secret "NAS"
}
server blocked {
	host 127.0.0.1
	port HOME0
	type udp
	secret "AAA"
	rewriteIn block
}
server exempt {
	host 127.0.0.1
	port HOME2
	type udp
	secret "AAA"
	rewriteIn open
}
realm /^f\./ {
	server exempt
}
realm * {
	server blocked
}
`
)

// sekishoAccounting is what is replaced in sekisho's for accounting.
var sekishoAccounting = []string{
	`["127.0.0.1:PORT"]`, `["127.0.0.1:PORT"], acct: ["127.0.0.1:ACCT"]`,
	"HOME0, acct-port: 0", "HOME0, acct-port: HOME0", "HOME1, acct-port: 0", "HOME1, acct-port: HOME1",
}

// What is replaced in them for a second AAA server, which is asked when the first
// one gives no answer.
var (
	sekishoSpare = []string{
		"  pools:\n", `    spare: {address: 127.0.0.1, auth-port: HOME1, acct-port: 0, secret: "AAA", require-message-authenticator: require}` + "\n  pools:\n",
		"servers: [home]", "servers: [home, spare]",
	}
	freeradiusSpare = []string{
		"home_server_pool main {\n", "home_server spare {\n\ttype = auth\n\tipaddr = 127.0.0.1\n\tport = HOME1\n\tsecret = \"AAA\"\n" +
			"\trequire_message_authenticator = yes\n\tresponse_window = 3\n\tstatus_check = none\n}\nhome_server_pool main {\n",
		"\thome_server = home\n", "\thome_server = home\n\thome_server = spare\n",
	}
	radsecproxySpare = []string{
		"realm /", "server blocked-spare {\n\thost 127.0.0.1\n\tport HOME1\n\ttype udp\n\tsecret \"AAA\"\n\trewriteIn block\n}\n" +
			"server exempt-spare {\n\thost 127.0.0.1\n\tport HOME3\n\ttype udp\n\tsecret \"AAA\"\n\trewriteIn open\n}\nrealm /",
		"\tserver blocked\n", "\tserver blocked\n\tserver blocked-spare\n",
		"\tserver exempt\n", "\tserver exempt\n\tserver exempt-spare\n",
	}
)

// exempt reports whether a subscriber is one of the tenth with a fixed address.
func exempt(i int) bool { return i%10 == 0 }

func accountName(i int) string { return fmt.Sprintf("u%07dab", i) }

func userName(i int) string {
	if exempt(i) {
		return "f." + accountName(i) + "@atson.net"
	}
	return accountName(i) + "@atson.net"
}

func user(i int) load.User {
	u := load.User{Name: userName(i), Password: "himitsu", Filter: "op25b", Checked: true}
	if exempt(i) {
		u.Filter = ""
	}
	return u
}

func users(n int) []load.User {
	all := make([]load.User, n)
	for i := range all {
		all[i] = user(i)
	}
	return all
}

// writeEach writes a file of a line or more for each subscriber.
func (s *settings) writeEach(name, header string, each func(i int) string) error {
	f, err := os.Create(filepath.Join(s.dir, name))
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	_, _ = w.WriteString(header) // Flush tells
	for i := range s.contracts {
		_, _ = w.WriteString(each(i))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}

func (s *settings) writeContracts() error {
	return s.writeEach("contracts.csv", "account,course,options\n", func(i int) string {
		if exempt(i) {
			return accountName(i) + ",hikari-home,fixed-ip\n"
		}
		return accountName(i) + ",adsl-acca,\n"
	})
}

func (s *settings) writeUsersFile() error {
	return s.writeEach("users", "", func(i int) string {
		if exempt(i) {
			return userName(i) + "\n\tFall-Through = No\n"
		}
		return userName(i) + "\n\tFilter-Id := \"op25b\"\n"
	})
}
