# Sidekiq: sidekiq_peer.rb single|bulk JOBS enqueues; sidekiq -r sidekiq_peer.rb works.
require "sidekiq"

PAYLOAD = { "recipient" => "user@example.com", "subject" => "Hello", "body" => "x" * 140 }.freeze
BATCH = 1000

Sidekiq.configure_server { |config| config.redis = { url: ENV["FIELD_REDIS"] } }
Sidekiq.configure_client { |config| config.redis = { url: ENV["FIELD_REDIS"] } }

def now
  Process.clock_gettime(Process::CLOCK_MONOTONIC)
end

# The handler: it counts as those of the others do.
class Noop
  include Sidekiq::Worker
  sidekiq_options queue: "field"

  JOBS = ENV["FIELD_JOBS"].to_i
  LOCK = Mutex.new
  @count = 0

  class << self
    def count
      n = LOCK.synchronize { @count += 1 }
      @began = now if n == 1
      return unless n == JOBS

      told = ENV["FIELD_TOLD"]
      File.write("#{told}.new", "0\n#{now - @began}\n")
      File.rename("#{told}.new", told)
    end
  end

  def perform(_payload)
    Noop.count
  end
end

if $PROGRAM_NAME == __FILE__
  jobs = ARGV[1].to_i
  began = now
  if ARGV[0] == "single"
    jobs.times { Noop.perform_async(PAYLOAD) }
  else
    Array.new(jobs) { [PAYLOAD] }.each_slice(BATCH) do |some|
      Sidekiq::Client.push_bulk("class" => Noop, "args" => some)
    end
  end
  puts now - began
end
