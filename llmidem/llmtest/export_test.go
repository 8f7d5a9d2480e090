package llmtest

// WithMaxBody sets how many bytes of a request are read.
func WithMaxBody(n int64) Option {
	return optionFunc(func(c *config) { c.maxBody = n })
}
