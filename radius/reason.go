package radius

// reason is the short name of a way out for a packet. Counters and logs carry
// it; docs/wire.md lists what each one means.
type reason uint8

const (
	forwarded reason = iota

	// The datagram is no RADIUS packet for us.
	dropShort
	dropLength
	dropMalformed
	dropCode

	// The packet is not from whom it should be.
	dropUnknownNAS
	dropBadAuthenticator
	dropBadMessageAuthenticator
	dropMissingMessageAuthenticator
	dropLimitProxyState
	dropEAPConflict

	// The packet is a repetition, or comes too late.
	dropDuplicate
	dropSuperseded
	dropUnmatched
	dropLate

	// The packet cannot be forwarded.
	dropNoRealm
	dropNoServer
	dropServersDead
	dropLoop
	dropHidden
	dropTooBig
	dropOverload
	dropNoIdentifier
	dropSend
	dropTimeout
	dropFailMode
	dropUnusable
	dropShutdown
	dropPanic

	reasons // how many there are
)

var reasonNames = [reasons]string{
	forwarded:                       "forwarded",
	dropShort:                       "short",
	dropLength:                      "length",
	dropMalformed:                   "malformed",
	dropCode:                        "code",
	dropUnknownNAS:                  "unknown-nas",
	dropBadAuthenticator:            "bad-authenticator",
	dropBadMessageAuthenticator:     "bad-message-authenticator",
	dropMissingMessageAuthenticator: "missing-message-authenticator",
	dropLimitProxyState:             "limit-proxy-state",
	dropEAPConflict:                 "eap-conflict",
	dropDuplicate:                   "duplicate",
	dropSuperseded:                  "superseded",
	dropUnmatched:                   "unmatched",
	dropLate:                        "late",
	dropNoRealm:                     "no-realm",
	dropNoServer:                    "no-server",
	dropServersDead:                 "servers-dead",
	dropLoop:                        "loop",
	dropHidden:                      "hidden",
	dropTooBig:                      "too-big",
	dropOverload:                    "overload",
	dropNoIdentifier:                "no-identifier",
	dropSend:                        "send",
	dropTimeout:                     "timeout",
	dropFailMode:                    "fail-mode",
	dropUnusable:                    "unusable",
	dropShutdown:                    "shutdown",
	dropPanic:                       "panic",
}

// explanations are for people who read the log.
var explanations = [reasons]string{
	dropShort:                       "the datagram is shorter than a RADIUS header",
	dropLength:                      "the Length field is below 20, above 4096 or beyond the datagram",
	dropMalformed:                   "the attributes do not fill the packet, or a Message-Authenticator is not 18 octets or stands twice",
	dropCode:                        "a packet of this code is not for this port",
	dropUnknownNAS:                  "no nas entry of the site file has this source, or none with the name that the packet gives itself",
	dropBadAuthenticator:            "wrong authenticator: is the secret the same on both sides?",
	dropBadMessageAuthenticator:     "wrong Message-Authenticator: is the secret the same on both sides?",
	dropMissingMessageAuthenticator: "no Message-Authenticator where one is required",
	dropLimitProxyState:             "Proxy-State without Message-Authenticator from a NAS with limit-proxy-state",
	dropEAPConflict:                 "EAP-Message beside another authentication attribute",
	dropDuplicate:                   "a retransmission while the request is still in progress",
	dropSuperseded:                  "the NAS used the identifier for a new request",
	dropUnmatched:                   "a reply to no request of ours",
	dropLate:                        "a reply to a request that was answered or given up",
	dropNoRealm:                     "no realm of the site file covers the User-Name",
	dropNoServer:                    "the realm's pool has no server for this kind of packet",
	dropServersDead:                 "every server of the realm's pool is dead",
	dropLoop:                        "the packet has been through this proxy before, or through more than 16 others",
	dropHidden:                      "a hidden attribute cannot be decrypted: is the secret the same on both sides?",
	dropTooBig:                      "the packet would outgrow 4096 octets",
	dropOverload:                    "too many requests at once",
	dropNoIdentifier:                "every identifier towards the server is in use",
	dropSend:                        "the kernel refused the datagram",
	dropTimeout:                     "the server did not answer in time",
	dropFailMode:                    "no decision could be made and the profile's fail mode is drop",
	dropUnusable:                    "a Status-Server stays without an answer while no decisions can be made",
	dropShutdown:                    "the proxy is shutting down",
	dropPanic:                       "an error of the program; please report it with the stack in the log",
}

func (r reason) String() string { return reasonNames[r] }
