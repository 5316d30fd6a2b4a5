package caddymodule

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// takeID makes a command take one id that may begin with "-", as one `kid` or `jti`
// in 64 does: in an emergency nobody should have to find out why it is called an
// unknown flag.
func takeID(cmd *cobra.Command, run func(cmd *cobra.Command, id string) error) {
	cmd.DisableFlagParsing = true
	cmd.RunE = func(cmd *cobra.Command, words []string) error {
		flags, ids := separate(cmd.Flags(), words)
		if err := cmd.Flags().Parse(flags); err != nil {
			return cmd.FlagErrorFunc()(cmd, err)
		}
		if help := cmd.Flag("help"); help != nil && help.Changed {
			return cmd.Help()
		}
		if err := cobra.ExactArgs(1)(cmd, ids); err != nil {
			return err
		}
		return run(cmd, ids[0])
	}
}

// separate tells flags, with their values, from what else there is.
func separate(known *pflag.FlagSet, words []string) (flags, rest []string) {
	for len(words) > 0 {
		word := words[0]
		words = words[1:]
		if word == "--" {
			return flags, append(rest, words...)
		}
		flag, isFlag := flagOf(known, word)
		if !isFlag {
			rest = append(rest, word)
			continue
		}
		flags = append(flags, word)
		if takesNext := flag != nil && flag.NoOptDefVal == "" && !strings.Contains(word, "="); takesNext && len(words) > 0 {
			flags, words = append(flags, words[0]), words[1:]
		}
	}
	return flags, rest
}

// flagOf finds the flag that a word is; nil for one that nobody knows.
func flagOf(known *pflag.FlagSet, word string) (flag *pflag.Flag, isFlag bool) {
	if name, long := strings.CutPrefix(word, "--"); long {
		name, _, _ = strings.Cut(name, "=")
		flag = known.Lookup(name)
		return flag, flag != nil || !generated(word)
	}
	if len(word) < 2 || word[0] != '-' || len(word) > 2 && word[2] != '=' {
		return nil, false
	}
	flag = known.ShorthandLookup(word[1:2])
	return flag, flag != nil
}

// generated tells whether a word can be a `kid` or a `jti`, which are longer than any
// flag that somebody mistypes: one in 4096 begins with "--".
func generated(word string) bool {
	return len(word) >= 22 && strings.Trim(word, "-_.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") == ""
}
