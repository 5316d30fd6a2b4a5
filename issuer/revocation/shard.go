package revocation

import "maps"

// shard is a part of the list at one moment. It does not change.
type shard struct {
	until map[digest]uint32 // the token's exp
}

// with returns the shard with all that is given, or the same where it had that.
// Of two ends the later one counts.
func (s *shard) with(until map[digest]uint32) *shard {
	var fresh map[digest]uint32
	for token, end := range until {
		if known, found := s.until[token]; found && known >= end {
			continue
		}
		if fresh == nil {
			fresh = make(map[digest]uint32, max(len(s.until)+1, len(until)))
			maps.Copy(fresh, s.until)
		}
		fresh[token] = end
	}
	if fresh == nil {
		return s
	}
	return &shard{fresh}
}

// since returns the shard without what has ended before the moment, or the same
// where there is nothing of that.
func (s *shard) since(moment uint32) *shard {
	left := 0
	for _, end := range s.until {
		if end >= moment {
			left++
		}
	}
	if left == len(s.until) {
		return s
	}
	fresh := make(map[digest]uint32, left)
	for token, end := range s.until {
		if end >= moment {
			fresh[token] = end
		}
	}
	return &shard{fresh}
}
