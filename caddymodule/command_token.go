package caddymodule

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/spf13/cobra"
	oauth "golang.org/x/oauth2"
)

// tokenCommand makes `caddy oauth2 token`.
func tokenCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "token <command>", Short: "Asks for access tokens, and revokes them", Args: cobra.NoArgs}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	cmd.AddCommand(tokenGetCommand(), tokenRevokeCommand())
	return cmd
}

func tokenGetCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "get --issuer <url> --client-id <id> [--client-secret <@FILE|@->] [--scope <\"a b\">] " +
			"[--resource <identifier>]... [--json]",
		Short: "Asks an issuer for an access token and prints it",
		Long: `
Asks an issuer for an access token with the client credentials grant (RFC 6749
section 4.4), as a client would, and prints the token alone, or with --json the
answer. Where the token endpoint is, the issuer's metadata says (RFC 8414).

The secret is read from a file (@FILE), from the standard input (@-), or, without
--client-secret, from a prompt that does not show it; from the standard input too
where that is no terminal. One line end behind it does not belong to it. It is sent
in the Authorization header (client_secret_basic), to https urls and to this
machine alone, and never after a redirect.

A CA of your own is trusted by the variable SSL_CERT_FILE.`,
		Args: cobra.NoArgs,
		RunE: runTokenGet,
	}
	cmd.Flags().String("issuer", "", "The issuer's url")
	cmd.Flags().String("client-id", "", "The client_id")
	cmd.Flags().String("client-secret", "", "The client's secret: @FILE, or @- for the standard input; a prompt without")
	cmd.Flags().String("scope", "", "The scopes to ask for, separated by spaces; all that are granted without")
	cmd.Flags().StringArray("resource", nil, "The resource that the token is for (may be repeated); the client's first without")
	cmd.Flags().Bool("json", false, "Print the answer as JSON")
	return cmd
}

func runTokenGet(cmd *cobra.Command, _ []string) error {
	asked, err := tokenAskedFor(cmd)
	if err != nil {
		return err
	}
	granted, err := asked.get(cmd.Context())
	if err != nil {
		return err
	}
	answer := &tokenAnswer{
		AccessToken: granted.AccessToken, TokenType: printable(granted.TokenType),
	}
	if seconds, ok := granted.Extra("expires_in").(float64); ok {
		answer.ExpiresIn = int64(seconds)
	}
	if scope, ok := granted.Extra("scope").(string); ok {
		answer.Scope = scope
	}
	return printAnswer(cmd, answer, answer.text)
}

// tokenAnswer is what the command prints as JSON: RFC 6749 section 5.1.
type tokenAnswer struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	ExpiresIn   int64  `json:"expires_in,omitempty"`
	Scope       string `json:"scope,omitempty"`
}

func (a *tokenAnswer) text() string { return a.AccessToken + "\n" }

// tokenAskedFor is what the flags describe. The secret is read last: nobody
// types one for nothing.
func tokenAskedFor(cmd *cobra.Command) (*tokenQuestion, error) {
	resources, err := cmd.Flags().GetStringArray("resource")
	if err != nil {
		return nil, err
	}
	asked := &tokenQuestion{
		issuer: flagText(cmd, "issuer"), clientID: flagText(cmd, "client-id"),
		scopes: strings.Fields(flagText(cmd, "scope")), resources: resources,
	}
	if asked.issuer == "" || asked.clientID == "" {
		return nil, errors.New("expected --issuer and --client-id")
	}
	if err := judgeIssuerURL(asked.issuer); err != nil {
		return nil, fmt.Errorf("--issuer: %w", err)
	}
	input := secretInput{argument: flagText(cmd, "client-secret"), prompt: "Secret of " + printable(asked.clientID)}
	if input.argument == "" && cmd.Flag("client-secret").Changed { // a variable that is not set
		return nil, fmt.Errorf("--client-secret: %w", errPlainSecret)
	}
	if asked.secret, err = input.read(cmd); err != nil {
		return nil, fmt.Errorf("--client-secret: %w", err)
	}
	if asked.secret == "" {
		return nil, errors.New("--client-secret: it is empty")
	}
	return asked, nil
}

// describeTokenError says what a token endpoint answered in place of a token. A
// stranger's server wrote it: it must not speak to the terminal.
func describeTokenError(endpoint string, err error) error {
	var refused *oauth.RetrieveError
	var broken *url.Error
	switch {
	case errors.As(err, &refused) && refused.ErrorCode != "":
		text := printable(refused.ErrorCode)
		if refused.ErrorDescription != "" {
			text += ": " + printable(refused.ErrorDescription)
		}
		return fmt.Errorf("token endpoint %s: status %d: %s", endpoint, refused.Response.StatusCode, text)
	case errors.As(err, &refused):
		return fmt.Errorf("token endpoint %s: status %d, without an error of OAuth (redirects are not followed)",
			endpoint, refused.Response.StatusCode)
	case errors.As(err, &broken):
		return fmt.Errorf("token endpoint %s: %w", endpoint, broken.Err)
	}
	return fmt.Errorf("token endpoint %s: %w", endpoint, err)
}

// printable is the text cut to a line's length, with ? for what is not printable
// ASCII.
func printable(text string) string {
	const longest = 300
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r > 0x7E {
			return '?'
		}
		return r
	}, cut(text, longest))
}
