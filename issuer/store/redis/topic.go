package redis

import "context"

// Say sends a message to whoever hears the topic at this moment, in any
// instance, this one included. It is sealed as documents are.
func (s *Store) Say(ctx context.Context, topic string, message []byte) error {
	ctx, cancel, err := s.patience(ctx)
	if err != nil {
		return err
	}
	defer cancel()
	return s.client.Publish(ctx, s.topic(topic), s.sealer.seal(s.topic(topic), message)).Err()
}

// Hear calls heard with each message of the topic until ctx ends. What is
// sealed with none of the keys is passed over.
func (s *Store) Hear(ctx context.Context, topic string, heard func(message []byte)) {
	messages := s.client.Subscribe(ctx, s.topic(topic))
	defer func() { _ = messages.Close() }()
	for {
		select {
		case <-ctx.Done():
			return
		case message, open := <-messages.Channel():
			if !open {
				return
			}
			if opened, _, err := s.sealer.open(s.topic(topic), []byte(message.Payload)); err == nil {
				heard(opened)
			}
		}
	}
}

// topicPart is in the names of channels behind the base.
const topicPart = "topic:"

func (s *Store) topic(name string) string { return s.base + topicPart + name }
