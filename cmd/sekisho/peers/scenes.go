package main

import (
	"fmt"
	"time"

	"sekisho/cmd/internal/load"
)

// saturation is what the other scenes are measured by.
func saturation(window int, duration time.Duration) scene {
	return scene{
		name: fmt.Sprintf("%d under way", window), home: manners{named: true},
		load: load.Options{Sockets: 8, Window: window, Duration: duration, Timeout: stormTimeout, Tries: stormTries},
	}
}

// scenes are the others, on a machine where sekisho saturates at most logins a
// second, and the proxy they are for at own.
func scenes(most, own float64, duration time.Duration) []scene {
	storm := load.Options{Sockets: stormSockets, Window: stormWindow, Once: true, Timeout: stormTimeout, Tries: stormTries}
	return []scene{
		{name: "a storm", home: manners{named: true}, load: storm, should: enough * own, why: "0.9 of the first"},
		{
			name: "a storm, an AAA server of half that rate", alone: true, load: storm, should: most / 2, why: "the AAA server's",
			home: manners{named: true, every: time.Duration(2 / most * float64(time.Second))},
		},
		losing(1, 3*duration),
		slow(10*time.Millisecond, most, duration),
		slow(50*time.Millisecond, most, duration),
		dying(1, duration),
	}
}

// losing is a scene where so many per cent of the requests to the AAA server are
// lost, and of the answers to the router.
func losing(percent float64, duration time.Duration) scene {
	const window = 256
	o := load.Options{Sockets: stormSockets, Window: window, Duration: duration, Timeout: stormTimeout, Tries: stormTries}
	return scene{
		name: fmt.Sprintf("%d under way, %g %% lost on either side", window, percent), home: manners{named: true, loss: percent}, loss: percent,
		load: o, should: windowed(window, 0, stormTimeout, twoWays(percent)), why: "what the window gives",
	}
}

// slow is a scene with an AAA server that takes its time, and a window for half
// the rate at which the proxy saturates.
func slow(delay time.Duration, most float64, duration time.Duration) scene {
	window := max(1, min(stormWindow, int(most/2*delay.Seconds())))
	o := load.Options{Sockets: stormSockets, Window: window, Duration: duration, Timeout: stormTimeout, Tries: stormTries}
	return scene{
		name: fmt.Sprintf("%d under way, an AAA server that takes %v", window, delay), home: manners{named: true, delay: delay},
		load: o, should: windowed(window, delay, 0, 0), why: "what the window gives",
	}
}

// dying is a scene where the first of two AAA servers falls silent after that
// time and so many requests.
func dying(life int, duration time.Duration) scene {
	o := load.Options{Sockets: stormSockets, Window: stormWindow, Duration: 3 * duration, Timeout: stormTimeout, Tries: stormTries}
	return scene{
		name: "a storm, one of two AAA servers falls silent", home: manners{named: true, life: life}, second: true, healthy: duration,
		load: o,
	}
}

// enduring is a scene that goes on for a long time, for memory to grow in if
// anything does: packets are lost and come twice, the AAA servers are slow, and one
// of them is dead before a sixth of the time is over. Most logins are followed by
// accounting, so that sessions come and go; the others wait for it in vain.
func enduring(duration time.Duration) scene {
	const window, delay = 512, 50 * time.Millisecond
	sc := losing(1, duration)
	sc.name = fmt.Sprintf("%v of %d under way, 1 %% lost on either side and 1 %% twice, AAA servers that take %v, one of two dead", duration, window, delay)
	sc.home.delay, sc.home.life, sc.second, sc.healthy, sc.twice = delay, 1, true, duration/6, 1
	sc.load.Window, sc.load.Sessions, sc.load.Life = window, 80, time.Minute
	sc.should = windowed(window, delay, stormTimeout, twoWays(1))
	return sc
}

// twoWays is the part that is lost where so many per cent are on either side.
func twoWays(percent float64) float64 {
	kept := 1 - percent/100
	return 1 - kept*kept
}
