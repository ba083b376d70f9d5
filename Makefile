# sekisho. `make help` lists the targets.

STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
ERRCHECK    := github.com/kisielk/errcheck@v1.30.0
FUZZTIME    ?= 20000x

.DEFAULT_GOAL := help
.PHONY: help demo build man test packages lint unit conformance realparts line fuzz-short soak noise differential kills mutate bench bench-check bench-door bench-accounting bench-impact bench-ldap bench-contracts bench-whole bench-peers bench-scale bench-storm bench-storm-peers bench-memory bench-sessions bench-campaign kills-ldap

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## show it all on loopback, without root and without set-up
	go run ./cmd/sekisho demo

build: ## build ./bin/sekisho, static and reproducible
	CGO_ENABLED=0 go build -trimpath -o bin/sekisho ./cmd/sekisho

man: build ## build ./bin/sekisho.8, the manual page, and the scripts for completion beside it
	bin/sekisho man > bin/sekisho.8
	for shell in bash zsh fish; do bin/sekisho completion $$shell > bin/sekisho.$$shell || exit 1; done

test: packages lint unit conformance fuzz-short realparts ## everything that CI runs: installs the Debian packages it needs; root

packages: ## install the Debian packages that the tests against real programs need; root
	sh .ci/packages

lint: ## gofmt, go vet, staticcheck and errcheck, by the lists in staticcheck.conf and .errcheck
	@test -z "$$(gofmt -l .)" || { echo "gofmt would change:"; gofmt -l .; exit 1; }
	go vet ./... && go vet -tags realparts ./...
	go run $(STATICCHECK) ./...
	go run $(ERRCHECK) -exclude .errcheck -ignoretests ./...

unit: ## all tests that need nothing but Go, with the race detector
	go test -race ./...

conformance: ## the wire's conformance cases against the binary, over UDP; it is built with the race detector
	go build -race -o bin/sekisho-race ./cmd/sekisho
	cd radius && SEKISHO_BINARY=$(CURDIR)/bin/sekisho-race go test -count=1 -run '^TestCase'

realparts: ## tests against FreeRADIUS, l2tpns and a PPPoE line; root, TUN and network namespaces
	go test -tags realparts -count=1 -timeout 10m ./cmd/sekisho/realparts

line: ## only the real subscriber line: PPPoE client, l2tpns, sekisho, FreeRADIUS
	go test -tags realparts -count=1 -timeout 5m -v -run 'RealLine' ./cmd/sekisho/realparts

fuzz-short: ## every fuzz target for FUZZTIME (20,000 executions)
	sh .ci/fuzz $(FUZZTIME)

soak: noise differential kills kills-ldap ## every fuzz target for ten minutes, and the others of the long runs
	sh .ci/fuzz 10m

kills: ## kill a process that changes the store in all ways, and a daemon that tells routers, 200 times each, and compare
	go test -count=1 -v -timeout 60m -run KilledAtAnyTime ./store -kills 200
	go test -count=1 -v -timeout 60m -run DaemonIsKilledWhile ./cmd/sekisho -kills 200

kills-ldap: ## kill a daemon that follows a real slapd, 100 times, and compare; root and Debian's slapd
	go test -tags realparts -count=1 -v -timeout 30m -run LDAPDaemonIsKilled ./cmd/sekisho/realparts -ldap-kills 100

noise: ## thirty million random datagrams at every socket of the binary: its goroutines and memory, some ten minutes
	go build -o bin/sekisho ./cmd/sekisho
	cd radius && SEKISHO_BINARY=$(CURDIR)/bin/sekisho SEKISHO_NOISE=300000 go test -count=1 -v -timeout 60m -run '^TestCase48'

differential: ## two million random packets through the proxy, every octet compared with a plain reference; some minutes
	SEKISHO_DIFFERENTIAL=170000 go test -count=1 -v -timeout 60m -run '^TestDifferential$$' ./radius

mutate: ## change every word of every shipped policy and show which decision test notices
	go test -count=1 -v -run EveryWord ./engine/policyfile

bench: ## Go benchmarks
	go test -run '^$$' -bench . -benchmem ./...

bench-check: ## the stages of a login against .ci/bench.txt, as ratios; fails at 15 % more time or one allocation more
	sh .ci/benchcheck

bench-peers: packages build ## sekisho beside FreeRADIUS and radsecproxy at the same job, one table of ratios; some minutes, a quiet machine
	go run ./cmd/sekisho/peers -sekisho bin/sekisho

bench-scale: build ## the cost of a login and of its look-up with a thousand to ten million contracts, as ratios; 2 GB of disk, some minutes
	go run ./cmd/sekisho/peers -sekisho bin/sekisho -scale 1000,10000,100000,1000000,10000000

bench-storm: build ## 300,000 subscribers log in at once, packets are lost, AAA servers are slow or fall silent: one table; three minutes, a quiet machine
	go run ./cmd/sekisho/peers -sekisho bin/sekisho -storm -contracts 300000

bench-storm-peers: packages build ## the same with FreeRADIUS and radsecproxy beside it, and what sekisho's goodput and CPU are to theirs; a quarter of an hour, a quiet machine
	go run ./cmd/sekisho/peers -sekisho bin/sekisho -storm -peers -contracts 300000

bench-memory: build ## sekisho's own memory while packets are lost and come twice, AAA servers are slow or dead, and sessions come and go; seven minutes
	go run ./cmd/sekisho/peers -sekisho bin/sekisho -flat 6m

bench-door: ## how long logins take while 64 clients grant, revoke and list, beside an idle door
	go test -run '^$$' -bench LoginBesideTheDoor -benchtime 5s ./cmd/internal/daemon

bench-sessions: ## a million live sessions: memory, time for a record, writing, restoring, 20,000 records a second
	go test -run '^$$' -bench 'MillionSessions|WaitingLogins|AccountingAtPace' -benchtime 1x -timeout 30m ./radius ./radius/session

bench-accounting: ## how long logins take beside 20,000 accounting packets a second, a million sessions live
	go test -run '^$$' -bench LoginBesideAccounting -benchtime 3000x -timeout 20m ./cmd/internal/daemon -sessions 1000000

bench-impact: ## sekisho impact over a million contracts, beside reading them; the heap it needs
	go test -run '^$$' -bench ImpactOfMillions -benchtime 3x -timeout 60m ./cmd/internal/daemon -contracts 1000000

bench-whole: ## ten million contracts and a million live sessions in one daemon: start, memory, every kind of command; 3 GB of disk, ten minutes
	go test -run '^$$' -bench WholeAtScale -benchtime 1x -timeout 60m ./cmd/sekisho -contracts 10000000 -sessions 1000000

bench-contracts: ## ten million contracts: time, disk, memory, start, look-ups; needs 6 GB of disk and some minutes
	go test -run '^$$' -bench ContractsAtScale -benchtime 1x -timeout 120m ./store -contracts 10000000

bench-campaign: ## a stage for 300,000 sessions on 30 routers, the daemon killed in the middle
	go test -count=1 -timeout 20m -v -run FleetIsKilled ./radius/coa -fleet 31x10000@200/20

bench-ldap: ## a million contracts from a real slapd, beside go-ldap reading them only, and what changes; needs Debian's slapd
	go test -tags realparts -run '^$$' -bench LDAPMany -benchtime 1x -timeout 120m ./cmd/sekisho/realparts -ldap-entries 1000000
