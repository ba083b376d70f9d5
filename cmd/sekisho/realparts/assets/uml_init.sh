#!/bin/sh
# init of a subscriber's machine in User-Mode Linux. Its root is this machine's own,
# read-only; what has to be written lies in memory. It makes the kernel ready for
# PPPoE on vec0, then runs the lines it reads on its console, each followed by a
# line "##rc=STATUS", and powers off when the console closes.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs run /run
mount -t tmpfs ppp /etc/ppp # neither options nor scripts of this machine's own pppd
mount -t tmpfs dev /dev
mknod /dev/null c 1 3
mknod /dev/urandom c 1 9
mknod /dev/random c 1 8
mknod /dev/tty c 5 0
mknod /dev/console c 5 1
mknod /dev/ppp c 108 0
chmod 666 /dev/null /dev/urandom /dev/random
mkdir -p /run/lock /run/pppd
for module in slhc ppp_generic pppox pppoe; do
	insmod "$(find "/usr/lib/uml/modules/$(uname -r)" -name "$module.ko")"
done
ip link set lo up
ip link set vec0 up

# Line N is ppp$N. What runs as user $((uid_of_line_0 + N)) is routed over it, so
# that several subscribers can live on one machine.
uid_of_line_0=1000

# dial N USER PASSWORD [pppd options]: start to connect line N
dial() {
	line=$1 user=$2 password=$3
	shift 3
	pppd plugin rp-pppoe.so vec0 unit "$line" user "$user" password "$password" \
		noauth nodetach nodefaultroute noipdefault noproxyarp noipv6 noccp novj \
		lcp-echo-interval 0 lcp-restart 1 ipcp-restart 1 mtu 1452 mru 1452 "$@" \
		>"/run/line$line.log" 2>&1 &
	echo $! >"/run/line$line.pid"
}

# address N: the address of line N, if it has one
address() {
	ip -4 -o addr show "ppp$1" 2>/dev/null | sed -n 's/.* inet \([0-9.]*\).*/\1/p'
}

# online N: wait until line N has an address, route its user over it, say the address
online() {
	until [ -n "$(address "$1")" ]; do
		kill -0 "$(cat "/run/line$1.pid")" 2>/dev/null || { cat "/run/line$1.log"; return 1; }
		sleep 0.05
	done
	uid=$((uid_of_line_0 + $1))
	ip route replace default dev "ppp$1" table "$uid"
	ip rule del uidrange "$uid-$uid" 2>/dev/null
	ip rule add uidrange "$uid-$uid" table "$uid"
	echo "online $1 $(address "$1")"
}

# call N SECONDS HOST PORT: connect from line N; say what HOST says, or nothing when
# no connection comes about in time
call() {
	said=$(setpriv --reuid $((uid_of_line_0 + $1)) busybox nc -w "$2" "$3" "$4" </dev/null 2>/dev/null)
	echo "said $1 $3 $4 $said" >>/run/said
}

# calls FILE: make all calls of a file at once, one on a line, and say what they heard
calls() {
	(
		while read -r line seconds host port; do
			call "$line" "$seconds" "$host" "$port" &
		done
		wait
	) <"$1"
	cat /run/said
	rm /run/said
}

# hangup N: say goodbye on line N
hangup() {
	kill "$(cat "/run/line$1.pid")"
}

# gone N: wait until line N has ended
gone() {
	while [ -e "/sys/class/net/ppp$1" ]; do sleep 0.05; done
}

stty -echo </dev/console
echo "##ready"
while read -r command; do
	[ -n "$command" ] || continue # the other side only wakes us
	eval "$command" </dev/null
	echo "##rc=$?"
done
busybox poweroff -f
