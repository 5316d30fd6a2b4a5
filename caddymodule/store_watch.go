package caddymodule

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"
)

// startPatience is how long a start waits for a store on other machines.
const startPatience = 15 * time.Second

// lookAtStore reads what can be read without a network: `caddy validate` ends
// before there is one.
func (a *App) lookAtStore(ctx caddy.Context) error {
	if a.shared.remote == nil {
		return a.loadStored(ctx)
	}
	for _, file := range a.shared.remote.files {
		if err := a.watch(file.owner, file.path, file.take); err != nil {
			return err
		}
	}
	return nil
}

// loadStored reads what is stored where that is in Caddy's own storage.
func (a *App) loadStored(ctx caddy.Context) error {
	lost, err := a.shared.load(ctx)
	if err = errors.Join(err, a.shared.journal.Check(ctx)); err != nil {
		return errors.Join(err, lost)
	}
	a.reportLost(lost)
	return nil
}

func (a *App) reportLost(lost error) {
	if lost != nil {
		a.logger.Error("what is stored was lost, and is written again when this configuration starts", zap.Error(lost))
	}
}

// reachStore makes a store on other machines ready, and reads what is there.
func (a *App) reachStore(ctx context.Context) error {
	if a.shared.remote == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	notes, err := a.shared.remote.prepare(ctx)
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	for _, note := range notes {
		a.logger.Warn(note)
	}
	lost, err := a.shared.load(ctx)
	if err != nil {
		return fmt.Errorf("store: %w", errors.Join(err, lost))
	}
	a.reportLost(lost)
	a.shared.sharing.begin(a.shared.remote.failures, a.shared.failures)
	return nil
}

// watchStore puts in force what other instances change, and tells once when the
// store ceases to answer and when it answers again. After a panic it begins anew.
func (a *App) watchStore(ctx context.Context) {
	told := "" // a document that stays unreadable is looked at each second
	changed := func() error {
		lost, err := a.shared.load(ctx)
		problem := errors.Join(err, lost)
		if problem == nil || ctx.Err() != nil {
			told = ""
		} else if text := problem.Error(); text != told {
			told = text
			a.logger.Error("what another instance has changed cannot be read; what is known stays in force", zap.Error(problem))
		}
		return err
	}
	watch := func() {
		defer a.recovered("watching the store")
		a.shared.remote.watch(ctx, changed, func(err error) {
			a.storeAnswers(err)
			a.tellOfLostMarks()
		})
	}
	for ctx.Err() == nil {
		watch()
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

// storeAnswers notes whether the store answers: nil, or why not.
func (a *App) storeAnswers(err error) {
	if a.shared.away.Swap(err != nil) == (err != nil) {
		return
	}
	if err != nil {
		a.logger.Error("the store does not answer: gates go on with what is known; "+
			"assertions, proofs, revocations and changes of clients are refused until it does", zap.Error(err))
		return
	}
	a.logger.Info("the store answers again")
}

// tellOfLostMarks says once that marks of the store were lost, as long as that matters.
func (a *App) tellOfLostMarks() {
	since, until := a.shared.remote.restriction()
	if since.IsZero() || !time.Now().Before(until) || a.shared.lostMarks.Swap(since.Unix()) == since.Unix() {
		return
	}
	a.logger.Warn("the store has lost which client assertions and DPoP proofs were used, or came without it: "+
		"those made until `since` are refused, and until `until` those that do not say when they were made",
		zap.Time("since", since), zap.Time("until", until))
}

// affirm keeps the run of this process noted, where marks are its own.
func (s *shared) affirm(ctx context.Context) error {
	if s.journal == nil {
		return nil
	}
	return s.journal.Affirm(ctx)
}
