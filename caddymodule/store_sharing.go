package caddymodule

import (
	"context"
	"sync"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/dd99cb49/caddy-client-credentials/issuer/client"
)

// sharing has instances tell each other of failed authentications, from the first
// start until the state is given back: two configurations of one process must not
// both charge what they hear.
type sharing struct {
	once  sync.Once
	stop  context.CancelFunc // nil: it never began
	ended sync.WaitGroup
}

func (s *sharing) begin(exchange *client.FailureExchange, failures *client.Failures) {
	s.once.Do(func() {
		ctx, stop := context.WithCancel(context.Background())
		s.stop = stop
		s.ended.Go(func() { surviving(func() { exchange.Listen(ctx, failures) }) })
		s.ended.Go(func() { surviving(func() { exchange.Send(ctx) }) })
	})
}

func (s *sharing) end() {
	if s.stop != nil {
		s.stop()
		s.ended.Wait()
	}
}

// surviving keeps a panic from the server: each instance then goes by its own
// count. It logs to whatever Caddy logs to at that moment.
func surviving(work func()) {
	defer func() {
		if problem := recover(); problem != nil {
			caddy.Log().Named(optionName).Error("sharing failed authentications panicked", zap.Any("panic", problem), zap.Stack("stack"))
		}
	}()
	work()
}
