package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"sekisho/cmd/internal/config"
	"sekisho/cmd/internal/daemon"
	"sekisho/store"

	"github.com/urfave/cli/v2"
)

// drainTime is how long requests under way may take to finish when the daemon
// is told to stop.
const drainTime = 5 * time.Second

func serveCommand() *cli.Command {
	return &cli.Command{
		Name:  "serve",
		Usage: "run the daemon in the foreground",
		Description: `SIGHUP reads the site file anew; if it has errors the old configuration stays.
SIGTERM and SIGINT take no more requests, let those under way finish, and end.`,
		Flags: []cli.Flag{
			configFlag(),
			&cli.StringFlag{Name: "clock", Usage: "rehearse: begin at this `TIME` for the policy instead of now"},
			&cli.BoolFlag{Name: "debug", Aliases: []string{"X"}, Usage: "write every packet's way to stdout, secrets masked"},
		},
		Action: serve,
	}
}

func serve(c *cli.Context) error {
	tuneMemory(c.Context)
	conf, problems := config.Load(c.String("config"))
	if err := problems.Err(); err != nil {
		return err
	}
	errors := daemon.NewSpool(c.App.ErrWriter)
	defer errors.Flush(time.Second)
	log := newLog(errors, conf)
	for _, warning := range problems {
		log.Warn(warning.String())
	}
	options := daemon.Options{Version: version(), Log: log, Memory: memoryForPages()}
	if c.Bool("debug") {
		packets := daemon.NewSpool(c.App.Writer)
		defer packets.Flush(time.Second)
		options.Debug = packets
	}
	start, err := instant(c, "clock", conf.Policy.Location)
	if err != nil {
		return err
	}
	if !start.IsZero() {
		options.Clock = daemon.Rehearsal(start)
		log.Warn("rehearsal: the policy's clock is not the wall clock", "clock", start)
	}
	return run(c.Context, conf, options)
}

// run serves until a signal says to stop.
func run(ctx context.Context, conf *config.Config, options daemon.Options) error {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGHUP, syscall.SIGTERM, syscall.SIGINT)
	defer signal.Stop(signals)
	d, err := daemon.Start(conf, options)
	if err != nil {
		return err
	}
	auth, acct := d.Addresses()
	options.Log.Info("ready", "version", options.Version, "policy", conf.Policy.Name, "auth", auth, "acct", acct, "socket", conf.Socket)
	for {
		select {
		case <-ctx.Done():
			return stop(d, options.Log)
		case s := <-signals:
			if s != syscall.SIGHUP {
				options.Log.Info("stopping", "signal", s.String())
				return stop(d, options.Log)
			}
			_, _ = d.Reload(store.By{Who: "daemon", From: "signal"}) // logs how it went
		}
	}
}

func stop(d *daemon.Daemon, log *slog.Logger) error {
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	err := d.Shutdown(ctx)
	log.Info("stopped")
	return err
}

// newLog makes the log that the site file asks for.
func newLog(w io.Writer, conf *config.Config) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(conf.LogLevel)); err != nil {
		panic(fmt.Errorf("the site file's log level was checked at load: %w", err))
	}
	options := &slog.HandlerOptions{Level: level}
	if conf.LogJSON {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}
