package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/parley-project/parley/example/shop"
)

func shopCommand() *cobra.Command {
	var flaws []string
	var listen, file, keyFile string
	c := &cobra.Command{
		Use:   "shop",
		Short: "run the example API, sound or flawed",
		Long: "Runs the shop of the examples: users, products, orders and an account under /v1.\n" +
			"It is sound unless flaws are switched on.\n\nFlaws:\n" + flawList(),
		Example: "  parley shop\n  parley shop --flaw authz-object,request-mass-assignment\n  parley shop --flaw all",
		Args:    cobra.NoArgs,
	}
	c.Flags().StringSliceVar(&flaws, "flaw", nil, "flaws to switch on, or all")
	c.Flags().StringVar(&listen, "listen", "", "address (default 127.0.0.1:9000, or the next free port)")
	c.Flags().StringVar(&file, "db", "", "SQLite file (default: in memory)")
	c.Flags().StringVar(&keyFile, "key", "", "PEM file of the key that signs tokens, made if absent (default: a new key)")
	c.RunE = func(c *cobra.Command, _ []string) error {
		o := shop.Options{Flaws: flaws, File: file}
		if keyFile != "" {
			var err error
			if o.Key, err = signingKey(keyFile); err != nil {
				return err
			}
		}
		s, l, err := openShop(o, listen)
		if err != nil {
			return err
		}
		defer s.Close()
		out := c.OutOrStdout()
		fmt.Fprintf(out, "shop   http://%s\n", l.Addr())
		if on := s.FlawsOn(); len(on) > 0 {
			fmt.Fprintf(out, "flaws  %s\n", strings.Join(on, ", "))
		} else {
			fmt.Fprintln(out, "flaws  none: it is sound")
		}
		for _, name := range shopPeople {
			token, err := s.Token(name)
			if err != nil {
				return err
			}
			fmt.Fprintf(out, "%-6s %s\n", name, token)
		}
		return serveShop(c.Context(), s, l)
	}
	return c
}

// shopPeople are those whose tokens are printed: two customers and an
// administrator.
var shopPeople = []string{"priya", "rajan", "asha"}

func flawList() string {
	var b strings.Builder
	for _, f := range shop.Flaws {
		fmt.Fprintf(&b, "  %-28s %s\n", f.ID, f.Title)
	}
	return b.String()
}

// openShop opens a shop and takes its port.
func openShop(o shop.Options, listen string) (*shop.Shop, net.Listener, error) {
	s, err := shop.New(o)
	var unknown *shop.UnknownFlawError
	if errors.As(err, &unknown) {
		hint := "parley shop --help lists them"
		if unknown.Near != "" {
			hint = "did you mean " + unknown.Near + "?"
		}
		return nil, nil, &usageError{fmt.Sprintf("--flaw: there is no flaw %q", unknown.Name), hint}
	}
	if err != nil {
		return nil, nil, err
	}
	l, err := addressOf(listen, "127.0.0.1:9000")
	if err != nil {
		s.Close()
		return nil, nil, err
	}
	return s, l, nil
}

// serveShop answers until the context ends.
func serveShop(ctx context.Context, s *shop.Shop, l net.Listener) error {
	server := &http.Server{Handler: s.Handler(), ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() {
		end, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		if server.Shutdown(end) != nil {
			server.Close()
		}
	})
	defer stop()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
