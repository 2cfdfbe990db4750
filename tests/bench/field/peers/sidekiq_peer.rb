# Sidekiq: sidekiq_peer.rb single|bulk|paced JOBS enqueues; sidekiq -r sidekiq_peer.rb works.
require "sidekiq"

PAYLOAD = { "recipient" => "user@example.com", "subject" => "Hello", "body" => "x" * 140 }.freeze
BATCH = 1000
PAUSE_SECONDS = 0.05

Sidekiq.configure_server { |config| config.redis = { url: ENV["FIELD_REDIS"] } }
Sidekiq.configure_client { |config| config.redis = { url: ENV["FIELD_REDIS"] } }

def now(unit = :float_second)
  Process.clock_gettime(Process::CLOCK_MONOTONIC, unit)
end

# The handler: it counts as those of the others do.
class Noop
  include Sidekiq::Worker
  sidekiq_options queue: "field"

  JOBS = ENV["FIELD_JOBS"].to_i
  LOCK = Mutex.new
  @count = 0
  @waited = []

  class << self
    def count(sent_ns)
      n = LOCK.synchronize do
        @waited << (now(:nanosecond) - sent_ns) / 1e9 if sent_ns
        @count += 1
      end
      @began = now if n == 1
      return unless n == JOBS

      told = ENV["FIELD_TOLD"]
      lines = @waited.empty? ? [0, now - @began] : @waited
      File.write("#{told}.new", lines.map { |line| "#{line}\n" }.join)
      File.rename("#{told}.new", told)
    end
  end

  def perform(payload)
    Noop.count(payload["sent_ns"])
  end
end

if $PROGRAM_NAME == __FILE__
  jobs = ARGV[1].to_i
  began = now
  if ARGV[0] == "single"
    jobs.times { Noop.perform_async(PAYLOAD) }
  elsif ARGV[0] == "paced"
    jobs.times do
      sleep(PAUSE_SECONDS * rand(0.5..1.5))
      Noop.perform_async(PAYLOAD.merge("sent_ns" => now(:nanosecond)))
    end
  else
    Array.new(jobs) { [PAYLOAD] }.each_slice(BATCH) do |some|
      Sidekiq::Client.push_bulk("class" => Noop, "args" => some)
    end
  end
  puts now - began
end
