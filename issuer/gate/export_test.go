package gate

// Len is the number of tokens that are remembered.
func (c *Cache) Len() int {
	c.entries.CleanUp()
	return c.entries.EstimatedSize()
}
